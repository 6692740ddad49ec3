"""What a form asks of every act: in which capacity, when, on which paper."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from benvung.auth import Principal
from benvung.forms import Typed
from households.domain import Refused
from households.domain.capacities import capacity
from households.domain.labels import Language
from households.domain.procedure_terms import Action, PaperKind, Role, procedure_label
from households.domain.procedures import Procedure

Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The capacities in which this person may record an act, and the kinds of paper that it takes."""

    action: Action
    roles: Choices
    papers: Choices
    paper_needed: bool
    on: dt.date

    @property
    def preset(self) -> dict[str, str]:
        """What stands in the form at first: today, and whatever there is no choice about."""
        day = self.on.isoformat()
        role = self.roles[0][0] if self.roles else ""
        kind = self.papers[0][0] if len(self.papers) == 1 or self.paper_needed else ""
        dated = {"paper.dated": day} if self.paper_needed else {}
        return {"role": role, "on": day, "paper.kind": kind, **dated}

    @staticmethod
    def values(typed: Typed) -> dict[str, Any]:
        """What a form says of who acted, when and on which paper, as the API has it."""
        values: dict[str, Any] = {"role": typed.text("role"), "on": typed.day("on")}
        number, dated = typed.text("paper.number"), typed.day("paper.dated")
        if typed.text("paper.kind") and (number or dated):
            values["paper"] = {
                "kind": typed.text("paper.kind"),
                "number": number,
                "dated": dated or values["on"],
            }
        return values


def roles_of(principal: Principal, roles: frozenset[Role], *days: dt.date) -> tuple[Role, ...]:
    """The capacities whose acts of one of these days this person may record, as Role has them in order."""
    return tuple(role for role in Role if role in roles and any(_may(principal, role, on) for on in days))


def _may(principal: Principal, role: Role, on: dt.date) -> bool:
    try:
        return principal.may(capacity(role, on).permission)
    except Refused:
        return False


_FIRST = (Role.STEERING_COMMITTEE, Role.VILLAGE_HEAD, Role.RESIDENT)
"""Who does most of what several may do."""


def wanted(
    principal: Principal, procedure: Procedure, action: Action, days: tuple[dt.date, dt.date], lang: Language
) -> Wanted:
    """What the form of an act asks this person for. The act lies between two days, the last one is today."""
    rule = procedure.actions[action]
    roles = sorted(roles_of(principal, rule.roles, *days), key=lambda role: role not in _FIRST)
    kinds = [kind for kind in PaperKind if kind in rule.papers]
    if action is Action.LIST:
        kinds = [kind for kind in PaperKind if kind in procedure.requests]
    return Wanted(
        action,
        tuple((role.value, procedure_label(role, lang)) for role in roles),
        tuple((kind.value, procedure_label(kind, lang)) for kind in kinds),
        bool(rule.papers),
        days[1],
    )
