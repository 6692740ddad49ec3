"""Form B2 as data: the questions, and for each indicator of a standard the rule and its numbers.

Nothing here knows how many indicators there are. A definition that is not in the data does not exist.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from households.domain.standards import Standard, get_standard, standards
from households.domain.terms import Refused

Answer = str | bool | Decimal | tuple[str, ...]
"""An answer once it is read: a code, yes or no, a number, or the codes that apply."""


class Kind(StrEnum):
    """How a question is answered."""

    ONE = "ONE"
    MANY = "MANY"
    NUMBER = "NUMBER"
    YES_NO = "YES_NO"


class Rule(StrEnum):
    """The logic of an indicator; its numbers and lists are data."""

    MEMBER_WORK = "MEMBER_WORK"
    DEPENDENT_SHARE = "DEPENDENT_SHARE"
    CHILD_NUTRITION = "CHILD_NUTRITION"
    MEMBER_INSURANCE = "MEMBER_INSURANCE"
    MEMBER_LEARNING = "MEMBER_LEARNING"
    COUNT_OF_ANSWERS = "COUNT_OF_ANSWERS"
    PER_PERSON_BELOW = "PER_PERSON_BELOW"
    ANSWER_NOT_AMONG = "ANSWER_NOT_AMONG"
    ANSWER_IS_NO = "ANSWER_IS_NO"
    NONE_OF = "NONE_OF"


@dataclass(frozen=True, slots=True)
class Question:
    """A question about the household, with the words of its options."""

    code: str
    kind: Kind
    vi: str
    en: str
    options: Mapping[str, tuple[str, str]]
    least: Decimal | None = None
    most: Decimal | None = None

    def read(self, raw: object) -> Answer:
        """The answer, or a refusal that names the question. Numbers are exact: text, integer or Decimal."""
        if self.kind is Kind.YES_NO and isinstance(raw, bool):
            return raw
        if self.kind is Kind.ONE and isinstance(raw, str) and raw in self.options:
            return raw
        if self.kind is Kind.MANY and isinstance(raw, list | tuple) and self._known(raw):
            return tuple(code for code in self.options if code in raw)
        if self.kind is Kind.NUMBER:
            number = exact(raw)
            if number is not None and self._within(number):
                return number
        raise Refused(
            "answer-invalid",
            f"Câu “{self.vi}”: câu trả lời không hợp lệ.",
            f"Question “{self.en}”: the answer is not valid.",
            self.code,
        )

    def say(self, answer: Answer, language: str = "vi") -> str:
        """An answer in words."""
        if isinstance(answer, bool):
            return {"vi": ("không", "có"), "en": ("no", "yes")}[language][answer]
        if isinstance(answer, Decimal):
            return plain(answer, language)
        codes = (answer,) if isinstance(answer, str) else answer
        words = [self.options[code][0 if language == "vi" else 1] for code in codes if code in self.options]
        return ", ".join(words) or {"vi": "không có", "en": "none"}[language]

    def _known(self, raw: Sequence[object]) -> bool:
        return all(isinstance(code, str) and code in self.options for code in raw) and len(set(raw)) == len(
            raw
        )

    def _within(self, number: Decimal) -> bool:
        return (self.least is None or number >= self.least) and (self.most is None or number <= self.most)


@dataclass(frozen=True, slots=True)
class Definition:
    """When one indicator of one standard is deprived: the rule and its numbers."""

    standard: str
    indicator: str
    rule: Rule
    values: Mapping[str, Any]

    @property
    def questions(self) -> tuple[str, ...]:
        """The questions about the household that it needs."""
        if "question" in self.values:
            return (self.values["question"],)
        return tuple(self.values.get("questions", ()))


@dataclass(frozen=True, slots=True)
class FormB2:
    """The form of one standard. An indicator without a definition is refused by name, never left out."""

    standard: str
    version: str
    source: str
    legal: str
    questions: Mapping[str, Question]
    definitions: Mapping[str, Definition]

    def definition(self, indicator: str) -> Definition:
        """The definition of an indicator; refuses when none is loaded."""
        found = self.definitions.get(indicator)
        if found is None:
            raise Refused(
                "indicator-undefined",
                f"Chuẩn {self.standard}: chưa nạp định nghĩa chỉ số {indicator}.",
                f"Standard {self.standard}: the definition of indicator {indicator} is not loaded.",
                indicator,
                self.legal,
            )
        return found


class FormFileInvalid(Exception):
    """The data of a form contradicts itself; the program must not start with it."""


_DIGITS = 30
"""More digits than this is no number of a form, and would only be slow to read or show."""


def exact(raw: object) -> Decimal | None:
    """A finite number given as text, integer or Decimal; floats are not exact and not taken."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
        return None
    if isinstance(raw, str) and len(raw) > _DIGITS:
        return None
    try:
        number = Decimal(raw)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _DIGITS else None


def plain(number: Decimal, language: str = "vi") -> str:
    """A number for reading, without trailing zeros, with the decimal sign of the language."""
    shown = format(number.normalize(), "f")
    return shown.replace(".", ",") if language == "vi" else shown


def form_b2(standard: Standard) -> FormB2:
    """The form of a standard: its own, or that of the national standard it stands beside."""
    found = forms_b2().get(standard.code)
    if found is None:
        raise Refused(
            "form-b2-missing",
            f"Chưa nạp phiếu B2 của chuẩn {standard.code}.",
            f"Form B2 of standard {standard.code} is not loaded.",
            "standard",
            standard.legal,
        )
    return found


@cache
def forms_b2() -> Mapping[str, FormB2]:
    """Every form of the data files, by standard."""
    folder = resources.files("households") / "data" / "b2"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    loaded = [parse_form_b2(tomllib.loads(f.read_text("utf-8"))) for f in files]
    return {form.standard: form for form in loaded}


def parse_form_b2(raw: Mapping[str, Any], standard: Standard | None = None) -> FormB2:
    """Build and check a form; raises FormFileInvalid. `standard` when it is not one of the data files."""
    try:
        known = standard or get_standard(raw["standard"])
        form = FormB2(
            known.code,
            raw["form_version"],
            raw["source"],
            raw["legal"],
            {code: _question(code, item) for code, item in raw["questions"].items()},
            {
                code: Definition(known.code, code, Rule(item["rule"]), item)
                for code, item in raw["indicators"].items()
            },
        )
    except (KeyError, ValueError, TypeError, InvalidOperation, Refused) as error:
        raise FormFileInvalid(f"{raw.get('standard', '?')}: {error!r}") from error
    _validate(form, known)
    return form


_NEEDED: Mapping[Rule, tuple[str, ...]] = {
    Rule.MEMBER_WORK: ("jobless_marks", "other_marks", "least_age"),
    Rule.DEPENDENT_SHARE: ("child_below", "allowances", "allowances_not_counted", "more_than_percent"),
    Rule.CHILD_NUTRITION: ("child_below",),
    Rule.MEMBER_INSURANCE: ("least_age",),
    Rule.MEMBER_LEARNING: ("on_job_training_counts", "bands"),
    Rule.COUNT_OF_ANSWERS: ("questions", "deprived_answers", "at_least"),
    Rule.PER_PERSON_BELOW: ("question", "below", "unit"),
    Rule.ANSWER_NOT_AMONG: ("question", "among"),
    Rule.ANSWER_IS_NO: ("question",),
    Rule.NONE_OF: ("question", "among"),
}
_KINDS: Mapping[Rule, Kind] = {
    Rule.COUNT_OF_ANSWERS: Kind.ONE,
    Rule.PER_PERSON_BELOW: Kind.NUMBER,
    Rule.ANSWER_NOT_AMONG: Kind.ONE,
    Rule.ANSWER_IS_NO: Kind.YES_NO,
    Rule.NONE_OF: Kind.MANY,
}


def _question(code: str, raw: Mapping[str, Any]) -> Question:
    options = {name: (vi, en) for name, (vi, en) in raw.get("options", {}).items()}
    least, most = raw.get("least"), raw.get("most")
    return Question(
        code,
        Kind(raw["kind"]),
        raw["vi"],
        raw["en"],
        options,
        None if least is None else Decimal(least),
        None if most is None else Decimal(most),
    )


def _validate(form: FormB2, standard: Standard) -> None:
    wrong = [f"{code} is no indicator" for code in form.definitions if code not in standard.indicator_codes]
    for code, definition in form.definitions.items():
        missing = [name for name in _NEEDED[definition.rule] if name not in definition.values]
        wrong += [f"{code}: no {name}" for name in missing]
        for name in definition.questions:
            question = form.questions.get(name)
            if question is None or question.kind is not _KINDS.get(definition.rule):
                wrong.append(f"{code}: question {name} is missing or of the wrong kind")
            else:
                listed = [*definition.values.get("among", ()), *definition.values.get("deprived_answers", ())]
                wrong += [f"{code}: {name} has no option {o}" for o in listed if o not in question.options]
        if not missing and definition.rule is Rule.MEMBER_LEARNING:
            wrong += _band_faults(code, definition.values["bands"])
    if wrong:
        raise FormFileInvalid(f"{form.standard}: {'; '.join(wrong)}")


def _band_faults(code: str, bands: Sequence[Mapping[str, Any]]) -> list[str]:
    if not bands or any(not {"from", "below", "studying", "finished"} <= set(band) for band in bands):
        return [f"{code}: a band lacks its ages or lists"]
    faults = [f"{code}: a band is empty" for band in bands if band["from"] >= band["below"]]
    for before, after in pairwise(bands):
        if before["below"] != after["from"]:
            faults.append(f"{code}: bands overlap or leave a gap at {before['below']}")
    return faults


def known_standards() -> tuple[str, ...]:
    """The standards whose form B2 is known at least by name."""
    return tuple(code for code in standards() if code in forms_b2())
