"""How many came, as reports say it: "hơn 200", "gần 3.000"."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from training.domain.refused import Refused


class Qualifier(StrEnum):
    """How exact a count of participants is: reports say "hơn 200" and "gần 3.000", not a number."""

    EXACT = "EXACT"
    GREATER = "GREATER"
    ABOUT = "ABOUT"
    AT_LEAST = "AT_LEAST"
    AT_MOST = "AT_MOST"


COUNT_WORDS: Mapping[str, Mapping[Qualifier, str]] = {
    "vi": {
        Qualifier.EXACT: "{}",
        Qualifier.GREATER: "hơn {}",
        Qualifier.ABOUT: "gần {}",
        Qualifier.AT_LEAST: "từ {} trở lên",
        Qualifier.AT_MOST: "không quá {}",
    },
    "en": {
        Qualifier.EXACT: "{}",
        Qualifier.GREATER: "more than {}",
        Qualifier.ABOUT: "about {}",
        Qualifier.AT_LEAST: "at least {}",
        Qualifier.AT_MOST: "at most {}",
    },
}


@dataclass(frozen=True)
class Count:
    """A number of participants as it was reported, with the word that qualifies it."""

    participants: int
    qualifier: Qualifier

    def __post_init__(self) -> None:
        if self.participants < 1:
            raise Refused(
                "participants-missing",
                "Số người tham dự phải từ 1 trở lên.",
                "A class that was held has at least one participant.",
                "participants",
            )

    def words(self, lang: str = "vi") -> str:
        """The count as a report writes it: "hơn 200", "gần 3.000"; in English "about 3,000"."""
        number = f"{self.participants:,}"
        if lang == "en":
            return COUNT_WORDS["en"][self.qualifier].format(number)
        return COUNT_WORDS["vi"][self.qualifier].format(number.replace(",", "."))
