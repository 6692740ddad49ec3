"""What form B2 asks of one person: only what an indicator needs at that age, so that nobody is asked in vain."""

from __future__ import annotations

from datetime import date

from households.domain.ages import Birth, has_reached
from households.domain.b2_form import Definition, FormB2, Rule

ATTRIBUTES = ("study", "qualification", "work", "allowance", "insurance", "nutrition")
"""The coded attributes of a member that indicators are judged by, in the order in which they are asked."""


def asked_of(form: FormB2, birth: Birth, on: date) -> tuple[str, ...]:
    """The attributes that the form needs of somebody born then; an age that is assumed counts."""
    needed = {name for one in form.definitions.values() for name in _needed(one, birth, on)}
    return tuple(name for name in ATTRIBUTES if name in needed)


def _needed(definition: Definition, birth: Birth, on: date) -> tuple[str, ...]:
    values = definition.values
    if definition.rule is Rule.MEMBER_LEARNING:
        return _learning(definition, birth, on)
    if definition.rule is Rule.MEMBER_WORK:
        return ("work",) if has_reached(birth, values["least_age"], on).yes else ()
    if definition.rule is Rule.MEMBER_INSURANCE:
        return ("insurance",) if has_reached(birth, values["least_age"], on).yes else ()
    if definition.rule is Rule.DEPENDENT_SHARE:
        return ("allowance",) if has_reached(birth, values["child_below"], on).yes else ()
    if definition.rule is Rule.CHILD_NUTRITION:
        return () if has_reached(birth, values["child_below"], on).yes else ("nutrition",)
    return ()


def _learning(definition: Definition, birth: Birth, on: date) -> tuple[str, ...]:
    for band in definition.values["bands"]:
        if has_reached(birth, band["from"], on).yes and not has_reached(birth, band["below"], on).yes:
            return ("study", "qualification") if band["finished"] else ("study",)
    return ()


def trained_at_work_counts(form: FormB2, birth: Birth, on: date) -> bool:
    """Whether training on the job would answer an indicator for somebody of that age."""
    return any(
        one.rule is Rule.MEMBER_LEARNING
        and one.values["on_job_training_counts"]
        and _learning(one, birth, on) != ()
        for one in form.definitions.values()
    )
