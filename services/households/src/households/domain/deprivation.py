"""From the raw answers of form B2 and the members to the flags of deprivation, each with what made it.

A form counts only when it is whole: a missing answer refuses by name, even where another answer would decide,
so that the reasons on a household's page are complete. An age is taken on the day of the review.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from uuid import UUID

from households.domain.ages import check_birth, has_reached
from households.domain.b2_form import Answer, Definition, FormB2, Rule, form_b2, plain
from households.domain.household import check_members
from households.domain.lists import code_list
from households.domain.persons import Member
from households.domain.standards import Standard
from households.domain.terms import Refused


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that made a flag: a member's attribute or an answer about the household, in words.

    `assumed`: it rests on a convention for somebody of whom only the year of birth is known.
    """

    vi: str
    en: str
    member_id: UUID | None = None
    question: str | None = None
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """Whether the household is deprived in one indicator, and by what. `assumed`: an age was assumed."""

    standard: str
    indicator: str
    deprived: bool
    evidence: tuple[Evidence, ...]
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """The flags of one form in the official order, and the refusals of the indicators that have none."""

    standard: str
    form_version: str
    on: date
    flags: tuple[Flag, ...]
    refusals: tuple[Refused, ...]

    def deprivations(self) -> tuple[str, ...]:
        """The deprived indicators; refuses with the first refusal while the form is not whole."""
        if self.refusals:
            raise self.refusals[0]
        return tuple(flag.indicator for flag in self.flags if flag.deprived)


@dataclass(frozen=True, slots=True)
class _Form:
    """What a rule may look at."""

    form: FormB2
    on: date
    members: Sequence[Member]
    answers: Mapping[str, object]

    def answer(self, definition: Definition, code: str) -> Answer:
        question = self.form.questions[code]
        raw = self.answers.get(code)
        if raw is None:
            raise Refused(
                "answer-missing",
                f"Chỉ số {definition.indicator}: chưa trả lời câu “{question.vi}”.",
                f"Indicator {definition.indicator}: question “{question.en}” is not answered.",
                code,
                self.form.legal,
            )
        return question.read(raw)

    def evidence(self, code: str, answer: Answer) -> Evidence:
        question = self.form.questions[code]
        return Evidence(
            f"{question.vi}: {question.say(answer).lower()}",
            f"{question.en}: {question.say(answer, 'en').lower()}",
            question=code,
        )

    def attribute(self, definition: Definition, member: Member, name: str) -> str:
        """A member's code for an attribute; refuses one that was not asked or is not in the list."""
        code: str | None = getattr(member, name)
        listed = code_list(name)
        if code is None:
            raise Refused(
                "member-answer-missing",
                f"Chỉ số {definition.indicator}: một thành viên chưa có thông tin “{listed.title_vi.lower()}”.",
                f"Indicator {definition.indicator}: a member lacks “{listed.title_en.lower()}”.",
                f"members.{member.id}.{name}",
                self.form.legal,
            )
        listed.get(code, f"members.{member.id}.{name}")
        return code

    def member_evidence(self, member: Member, name: str, *, assumed: bool = False) -> Evidence:
        listed, code = code_list(name), getattr(member, name) or ""
        age = member.age(self.on)
        return Evidence(
            f"Thành viên {age} tuổi: {listed.label(code).lower()}",
            f"Member aged {age}: {listed.label(code, 'en').lower()}",
            member.id,
            assumed=assumed,
        )

    def between(self, member: Member, from_: int, below: int) -> tuple[bool, bool]:
        """Whether the age lies from one birthday to before another, and whether a convention decided it."""
        passed = has_reached(member.birth, below, self.on)
        if from_ == 0:
            return not passed.yes, passed.assumed
        reached = has_reached(member.birth, from_, self.on)
        return reached.yes and not passed.yes, reached.assumed or passed.assumed


_Found = tuple[bool, tuple[Evidence, ...], bool]
"""Deprived or not, what made it, and whether an age was assumed on the way."""


def judge(
    standard: Standard,
    on: date,
    members: Sequence[Member],
    answers: Mapping[str, object],
    form: FormB2 | None = None,
) -> Judgement:
    """All indicators of the standard: a flag or a named refusal for each, never fewer and never a guess."""
    form = form or form_b2(standard)
    check_members(len(members))
    for member in members:
        check_birth(member.birth, on)
    unknown = sorted(str(code) for code in answers if code not in form.questions)
    if unknown:
        raise Refused(
            "question-unknown",
            f"Phiếu B2 của chuẩn {form.standard} không có câu hỏi {', '.join(unknown)}.",
            f"Form B2 of standard {form.standard} has no question {', '.join(unknown)}.",
            unknown[0],
            form.legal,
        )
    flags, refusals = [], []
    for indicator in standard.indicator_codes:
        try:
            flags.append(flag_of(form, indicator, on, members, answers))
        except Refused as refused:
            refusals.append(refused)
    return Judgement(standard.code, form.version, on, tuple(flags), tuple(refusals))


def flag_of(
    form: FormB2, indicator: str, on: date, members: Sequence[Member], answers: Mapping[str, object]
) -> Flag:
    """One indicator's flag; refuses by name what is undefined or not answered."""
    definition = form.definition(indicator)
    deprived, evidence, assumed = _RULES[definition.rule](_Form(form, on, members, answers), definition)
    return Flag(form.standard, indicator, deprived, evidence, assumed)


def _member_work(form: _Form, definition: Definition) -> _Found:
    values, work = definition.values, code_list("work")
    jobless, others = values["jobless_marks"], values["other_marks"]
    found, assumed = [], False
    for member in form.members:
        old_enough = has_reached(member.birth, values["least_age"], form.on)
        assumed |= old_enough.assumed
        if member.work is None and not old_enough.yes:
            continue
        code = form.attribute(definition, member, "work")
        if any(work.has(code, mark) for mark in jobless):
            if not old_enough.yes:
                raise Refused(
                    "jobless-below-working-age",
                    f"Chỉ số {definition.indicator}: người chưa đủ {values['least_age']} tuổi được ghi là tìm việc.",
                    f"Indicator {definition.indicator}: somebody below {values['least_age']} is recorded as jobless.",
                    f"members.{member.id}.work",
                    form.form.legal,
                )
            found.append(form.member_evidence(member, "work", assumed=old_enough.assumed))
        elif any(work.has(code, mark) for mark in others):
            found.append(form.member_evidence(member, "work"))
    return bool(found), tuple(found), assumed


def _dependent_share(form: _Form, definition: Definition) -> _Found:
    values = definition.values
    evidence, undecided, assumed = [], 0, False
    for member in form.members:
        child, unsure = form.between(member, 0, values["child_below"])
        assumed |= unsure
        if child:
            age = member.age(form.on)
            evidence.append(Evidence(f"Trẻ em {age} tuổi", f"Child aged {age}", member.id, assumed=unsure))
            continue
        code = form.attribute(definition, member, "allowance")
        if code in values["allowances"]:
            evidence.append(form.member_evidence(member, "allowance"))
        elif code not in values["allowances_not_counted"]:
            undecided += 1
    size, limit = len(form.members), values["more_than_percent"]
    deprived = len(evidence) * 100 > limit * size
    if undecided and deprived != ((len(evidence) + undecided) * 100 > limit * size):
        raise Refused(
            "allowance-undecided",
            f"Chỉ số {definition.indicator}: chưa có căn cứ để tính hay không tính người hưởng"
            " trợ cấp hưu trí xã hội là người phụ thuộc; phải nạp hướng dẫn trước.",
            f"Indicator {definition.indicator}: no rule is loaded on whether this allowance makes a dependant.",
            "allowance",
            form.form.legal,
        )
    share = Evidence(
        f"{len(evidence)} người phụ thuộc trên {size} nhân khẩu (ngưỡng trên {limit}%)",
        f"{len(evidence)} dependants of {size} members (more than {limit} %)",
    )
    return deprived, (share, *evidence), assumed


def _child_nutrition(form: _Form, definition: Definition) -> _Found:
    listed, found, assumed = code_list("nutrition"), [], False
    for member in form.members:
        child, unsure = form.between(member, 0, definition.values["child_below"])
        assumed |= unsure
        if child and listed.has(form.attribute(definition, member, "nutrition"), "malnourished"):
            found.append(form.member_evidence(member, "nutrition", assumed=unsure))
    return bool(found), tuple(found), assumed


def _member_insurance(form: _Form, definition: Definition) -> _Found:
    listed, found, assumed = code_list("insurance"), [], False
    for member in form.members:
        reached = has_reached(member.birth, definition.values["least_age"], form.on)
        assumed |= reached.assumed
        if reached.yes and not listed.has(form.attribute(definition, member, "insurance"), "insured"):
            found.append(form.member_evidence(member, "insurance", assumed=reached.assumed))
    return bool(found), tuple(found), assumed


def _member_learning(form: _Form, definition: Definition) -> _Found:
    values, found, assumed = definition.values, [], False
    for member in form.members:
        for band in values["bands"]:
            inside, unsure = form.between(member, band["from"], band["below"])
            assumed |= unsure
            if not inside:
                continue
            study = form.attribute(definition, member, "study")
            met = study in band["studying"]
            if band["finished"]:
                met |= form.attribute(definition, member, "qualification") in band["finished"]
            if not met and not (values["on_job_training_counts"] and member.works_on_job_training):
                found.append(form.member_evidence(member, "study", assumed=unsure))
    return bool(found), tuple(found), assumed


def _count_of_answers(form: _Form, definition: Definition) -> _Found:
    values = definition.values
    answers = [(code, form.answer(definition, code)) for code in values["questions"]]
    found = [form.evidence(code, a) for code, a in answers if a in values["deprived_answers"]]
    return len(found) >= values["at_least"], tuple(found), False


def _per_person_below(form: _Form, definition: Definition) -> _Found:
    code, limit, size = definition.values["question"], Decimal(definition.values["below"]), len(form.members)
    total = form.answer(definition, code)
    assert isinstance(total, Decimal)  # the form's file was checked
    unit, question = definition.values["unit"], form.form.questions[code]
    each = (total / size).quantize(Decimal("0.01"), ROUND_DOWN)
    evidence = Evidence(
        f"{question.vi}: {plain(total)}, {size} nhân khẩu, bình quân {plain(each)} {unit}"
        f" (ngưỡng dưới {plain(limit)} {unit})",
        f"{question.en}: {plain(total, 'en')}, {size} members, {plain(each, 'en')} {unit} each"
        f" (below {plain(limit, 'en')} {unit})",
        question=code,
    )
    return total < limit * size, (evidence,), False


def _answer_not_among(form: _Form, definition: Definition) -> _Found:
    code = definition.values["question"]
    answer = form.answer(definition, code)
    return answer not in definition.values["among"], (form.evidence(code, answer),), False


def _answer_is_no(form: _Form, definition: Definition) -> _Found:
    code = definition.values["question"]
    answer = form.answer(definition, code)
    return answer is False, (form.evidence(code, answer),), False


def _none_of(form: _Form, definition: Definition) -> _Found:
    code = definition.values["question"]
    answer = form.answer(definition, code)
    assert isinstance(answer, tuple)  # the form's file was checked
    return not set(answer) & set(definition.values["among"]), (form.evidence(code, answer),), False


_RULES: Mapping[Rule, Callable[[_Form, Definition], _Found]] = {
    Rule.MEMBER_WORK: _member_work,
    Rule.DEPENDENT_SHARE: _dependent_share,
    Rule.CHILD_NUTRITION: _child_nutrition,
    Rule.MEMBER_INSURANCE: _member_insurance,
    Rule.MEMBER_LEARNING: _member_learning,
    Rule.COUNT_OF_ANSWERS: _count_of_answers,
    Rule.PER_PERSON_BELOW: _per_person_below,
    Rule.ANSWER_NOT_AMONG: _answer_not_among,
    Rule.ANSWER_IS_NO: _answer_is_no,
    Rule.NONE_OF: _none_of,
}
