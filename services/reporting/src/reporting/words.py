"""How reporting says things, in the language asked for: labels of codes, figures with their words."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache

from benvung.pages import catalogue
from benvung.pages.formats import Formats
from reporting.domain import Percent, Total, Whole
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

    def basis(self, code: str, *, by_now: bool) -> str:
        """To whom money was given; by later units, what is below was an area of its own then."""
        return self.label("basis", f"{code}.now" if by_now and code == "BELOW" else code)

    def rate(self, percent: Decimal | Percent | None) -> str:
        """A share in words, "8,11–8,12 %" where it is a range; without a denominator, that it has none."""
        if percent is None:
            return self.t("rate.none")
        if isinstance(percent, Decimal):
            return self.formats.percent(percent)
        return self._between(percent.least, percent.most, self.formats.percent)

    def households(self, whole: Whole) -> str:
        """How many households: "383.134", or "387.943–388.366" where no more is known."""
        return self._between(whole.least, whole.most, self.formats.number)

    def _between(self, least: Decimal | int, most: Decimal | int, written: Callable[..., str]) -> str:
        if least == most:
            return written(least)
        places = 2 if isinstance(least, Decimal) else None
        return f"{self.formats.number(least, places)}\N{EN DASH}{written(most)}"

    def points(self, change: Percent) -> str:
        """Points or percent without their unit, for a column: "−5,91", "−5,92 đến −5,90"."""
        if change.one is not None:
            return self.formats.number(change.one, 2)
        ends = (self.formats.number(each, 2) for each in (change.least, change.most))
        return self.t("between", **dict(zip(("least", "most"), ends, strict=True)))

    def change(self, change: Percent, since: date) -> str:
        """A change of a share: "giảm 5,91 điểm phần trăm so với 31/12/2022"."""
        points = change.one
        if points is None:
            low, high = self.formats.points(change.least), self.formats.points(change.most)
            return self.t("changed.between", least=low, most=high, date=self.formats.date(since))
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
