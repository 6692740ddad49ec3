"""Between the fields of the page of form B and the form as the rules read it, in both directions."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benvung.forms import Typed
from households.actions.form_b import Change, Filled
from households.domain import Member
from households.domain.b2_form import FormB2, Kind
from households.domain.causes import Causes
from households.domain.form_b_asked import ATTRIBUTES
from households.domain.score_tables import ItemKind, ScoreTable
from households.store.score_tables import Loaded

HOW = ("answers", "flags", "total")
"""How form B2 is given: answered, or from the paper its deprived indicators, or its total alone."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The form as it is shown: by which table and form, for whom, and how B2 is given."""

    members: Sequence[Member]
    versions: Mapping[uuid.UUID, str]
    b1: Loaded | None
    columns: Sequence[str]
    b2: FormB2 | None
    how: str
    by_income: bool
    known: int
    causes: Causes | None
    sees_causes: bool


def filled(sheet: Sheet, typed: Typed) -> tuple[Filled, list[Change]]:
    """What stands in the fields, with the members as the form has them now and who of them was changed."""
    if sheet.by_income:
        return Filled(counted=_whole(typed, "members"), income_dong=_whole(typed, "income_dong")), []
    members = [_member(one, typed) for one in sheet.members]
    changes = [
        Change(now, typed.text(f"m.{now.id}.version") or sheet.versions[now.id])
        for before, now in zip(sheet.members, members, strict=True)
        if before != now
    ]
    made = Filled(
        members=members,
        table=sheet.b1,
        column=typed.text("column") or (sheet.columns[0] if sheet.columns else ""),
        b1=_b1(sheet.b1.table, typed) if sheet.b1 else {},
        b1_points=None if sheet.b1 else _whole(typed, "b1_points"),
        causes=typed.all("causes"),
        cause_text=typed.text("cause_text") or None,
        unseen_causes=None if sheet.sees_causes else sheet.causes,
    )
    if sheet.how == "answers" and sheet.b2 is not None:
        return replace(made, b2=_b2(sheet.b2, typed)), changes
    made = replace(made, members=(), counted=_whole(typed, "members"))
    if sheet.how == "flags":
        return replace(made, deprivations=typed.all("flags")), []
    return replace(made, b2_points=_whole(typed, "b2_points")), []


def _whole(typed: Typed, name: str) -> int | None:
    """A whole number; what is none is left as if nothing stood there, and refused as missing."""
    text = typed.text(name).replace(".", "").replace(" ", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _number(text: str) -> str:
    """A number as the rules read it, of one that is written with a decimal comma."""
    return text.replace(" ", "").replace(",", ".")


def _member(member: Member, typed: Typed) -> Member:
    name = f"m.{member.id}"
    given: dict[str, Any] = {each: text for each in ATTRIBUTES if (text := typed.text(f"{name}.{each}"))}
    if f"{name}.asked_training" in typed.values:
        given["works_on_job_training"] = typed.ticked(f"{name}.trained", "yes")
    return replace(member, **given)


def _b2(form: FormB2, typed: Typed) -> dict[str, object]:
    answers: dict[str, object] = {}
    for code, question in form.questions.items():
        name, text = f"b2.{code}", typed.text(f"b2.{code}")
        if question.kind is Kind.MANY:
            if typed.all(name) or typed.ticked(f"{name}.none", "yes"):
                answers[code] = typed.all(name)
        elif text:
            kinds = {Kind.YES_NO: text == "yes", Kind.NUMBER: _number(text)}
            answers[code] = kinds.get(question.kind, text)
    return answers


def _b1(table: ScoreTable, typed: Typed) -> dict[str, object]:
    answers: dict[str, object] = {}
    for item in table.items:
        name, text = f"b1.{item.code}", typed.text(f"b1.{item.code}")
        if item.kind is ItemKind.MANY:
            if typed.all(name) or typed.ticked(f"{name}.none", "yes"):
                answers[item.code] = typed.all(name)
        elif text:
            answers[item.code] = _number(text) if item.kind is ItemKind.RANGE else text
    return answers


def preset(last: Mapping[str, Any] | None, sheet: Sheet) -> dict[str, str]:
    """What the fields begin with: the last result of this household in this review, if there is one."""
    found = {"members": str(sheet.known)}
    for member in sheet.members:
        known = {each: code for each in ATTRIBUTES if (code := getattr(member, each))}
        found |= {f"m.{member.id}.{each}": code for each, code in known.items()}
        found |= {f"m.{member.id}.trained": "yes"} if member.works_on_job_training else {}
        found[f"m.{member.id}.version"] = sheet.versions[member.id]
    if last is None:
        return found
    plain = ("members", "b1_points", "b2_points", "income_dong")
    found |= {name: str(last[name]) for name in plain if last.get(name) is not None}
    found |= {"flags": " ".join(last["deprivations"])} if last.get("deprivations") else {}
    causes = sheet.causes and sheet.causes.seen(restricted=sheet.sees_causes)
    found |= {"causes": " ".join(causes.codes)} if causes else {}
    found |= {"cause_text": causes.text} if causes and causes.text else {}
    kept = last.get("form_b") or {}
    for part in ("b1", "b2"):
        for code, value in (kept.get(part) or {}).items():
            found |= _shown(f"{part}.{code}", value)
    return found | ({"column": kept["b1_column"]} if kept.get("b1_column") else {})


def _shown(name: str, value: object) -> dict[str, str]:
    if isinstance(value, bool):
        return {name: "yes" if value else "no"}
    if isinstance(value, list):
        return {name: " ".join(value)} if value else {f"{name}.none": "yes"}
    return {name: str(value)}


def how_of(last: Mapping[str, Any] | None, asked: str, *, answerable: bool) -> str:
    """How B2 is given: as asked, as it was last time, else by its answers where members are known."""
    if asked in HOW and (asked != "answers" or answerable):
        return asked
    kept = (last or {}).get("form_b") or {}
    if kept.get("b2") is not None and answerable:
        return "answers"
    if last is not None:
        return "flags" if last.get("deprivations") is not None else "total"
    return "answers" if answerable else "flags"
