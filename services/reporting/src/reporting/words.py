"""How reporting says things, in the language asked for: labels of codes, figures with their words."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache

from benvung.pages import catalogue
from benvung.pages.formats import Formats
from reporting.domain import Total
from reporting.store import ApprovedList


class Words:
    """Labels and sentences in one language, `vi` or `en`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.formats = Formats(language)
        self.t = catalogue.translator("reporting", language)
        self._known = catalogue.texts("reporting", language)

    def label(self, kind: str, code: str) -> str:
        """The name of a code; the code itself where another service uses one we have no name for."""
        return self._known.get(f"{kind}.{code}", code)

    def rate(self, percent: Decimal | None) -> str:
        """A share in words; without a denominator, that it has none."""
        return self.t("rate.none") if percent is None else self.formats.percent(percent)

    def change(self, points: Decimal, since: date) -> str:
        """A change of a share: "giảm 5,91 điểm phần trăm so với 31/12/2022"."""
        if not points:
            return self.t("changed.none", date=self.formats.date(since))
        key = "changed.up" if points > 0 else "changed.down"
        return self.t(key, amount=self.formats.points(abs(points)), date=self.formats.date(since))

    def millions(self, dong: int) -> str:
        """An amount in million đồng, without the unit and with the decimals it needs."""
        return self.formats.number((Decimal(dong) / 1_000_000).normalize())

    def people(self, total: Total) -> str:
        """A number of participants with the word that qualifies it: "ít nhất 250"."""
        number = self.formats.number(total.participants)
        return self.t(f"count.{total.qualifier.value}", number=number)

    def decisions(self, lists: Sequence[ApprovedList]) -> str:
        """The decisions a figure rests on, in one line: the last annual lists, and how many came later."""
        annual = [one for one in lists if one.review_kind == "ANNUAL"] or list(lists)
        base = [one for one in annual if one.valid_from == max(each.valid_from for each in annual)]
        if not base:
            return ""
        later = sum(one.valid_from > base[0].valid_from for one in lists)
        said = self._decision(base[0]) if len(base) == 1 else self._many(base)
        return said + (self.t("decisions.later", number=self.formats.number(later)) if later else "")

    def _decision(self, one: ApprovedList) -> str:
        key = "decision" if one.decision_number else "decision.unnumbered"
        return self.t(key, number=one.decision_number, date=self.formats.date(one.decided_on))

    def _many(self, several: Sequence[ApprovedList]) -> str:
        last = max(one.decided_on for one in several)
        return self.t("decisions", number=len(several), date=self.formats.date(last))


@cache
def words(language: str) -> Words:
    """The words of a language, made once."""
    return Words(language)
