"""What is sent and shown of a person: fields, words, warnings, and who may be recorded twice."""

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from sqlalchemy import Row

from benvung.auth import Scope
from benvung.db import Conn
from benvung.vault import Vault
from households import store
from households.api.fields import NO_CONTROLS, Day, Given, Lang, Shown
from households.domain import Member, Refused
from households.domain.ages import Birth
from households.domain.duplicates import WHY_LABELS, Person, same_person
from households.domain.identity import Sex, parse_number
from households.domain.lists import code_list
from households.domain.notices import Notice
from households.domain.persons import LISTS
from households.domain.rosters import MemberFact, MemberFactKind, in_force

Code = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z_]{0,39}$")]
Digits = Annotated[str, StringConstraints(max_length=20, pattern=NO_CONTROLS)]
FactNumber = Annotated[int, Field(ge=1, le=2**63 - 1, description="`fact` of what stands corrected by this")]


class PersonGiven(Given):
    """A person as recorded. What is left out was not asked; codes are those of the official lists."""

    name: str = Field(max_length=200, pattern=NO_CONTROLS, examples=["Lường Thị Mẫu"])
    birth_date: dt.date | None = Field(default=None, examples=["1985-03-02"])
    birth_year: Annotated[int, Field(ge=1, le=9999)] | None = Field(
        default=None, description="where only the year is known", examples=[1985]
    )
    sex: Literal["MALE", "FEMALE"] = Field(examples=["FEMALE"])
    relation: Code = Field(description="to the head of the household", examples=["HEAD"])
    residence: Code = Field(examples=["PERMANENT"])
    number: Digits | None = Field(
        default=None, description="Số định danh cá nhân, 12 digits", examples=["004185000999"]
    )
    number_missing: Code | None = Field(default=None, description="why there is no number")
    number_missing_text: str | None = Field(default=None, max_length=200, pattern=NO_CONTROLS)
    legacy_number: Digits | None = Field(default=None, description="an old CMND of 9 digits")
    ethnicity: Code | None = Field(default=None, examples=["TAY"])
    disability: Code | None = Field(default=None, examples=["NONE"])
    allowance: Code | None = Field(default=None, examples=["NONE"])
    study: Code | None = Field(default=None, examples=["NONE"])
    qualification: Code | None = Field(default=None, examples=["UPPER_SECONDARY"])
    works_on_job_training: bool = False
    work: Code | None = Field(default=None, examples=["SELF_EMPLOYED"])
    labour_capacity: Code | None = Field(default=None, examples=["ABLE"])
    insurance: Code | None = Field(default=None, examples=["STATE_PAID"])
    nutrition: Code | None = Field(default=None, examples=["NORMAL"])
    merit: Code | None = Field(default=None, examples=["NONE"])

    def member(self, member_id: uuid.UUID) -> Member:
        """The same for the domain. A birth that is missing stands as an impossible year, which it refuses."""
        year = self.birth_year or (self.birth_date.year if self.birth_date else 0)
        values = self.model_dump(include=set(_DESCRIBED))
        return Member(id=member_id, birth=Birth(year, self.birth_date), sex=Sex(self.sex), **values)


_DESCRIBED = (*store.members.OPEN, *store.members.SEALED)


class MemberGiven(PersonGiven):
    """Somebody who is a member from a day on."""

    on: Day


class MemberChangeGiven(PersonGiven):
    """How a member is from a day on: the whole record, not only what is new."""

    on: Day
    corrects: FactNumber | None = None


class MemberRow(PersonGiven):
    """A row of a household's whole list."""

    id: uuid.UUID | None = Field(default=None, description="the member who is meant; empty = a new one")


class MembersGiven(Given):
    """A household's whole list of members as it is from a day on."""

    on: Day
    members: list[MemberRow] = Field(max_length=100)


class LeavingGiven(Given):
    """From which day somebody is a member no more, and why."""

    on: Day
    reason: Literal["DEATH", "MOVED", "MARRIED_AWAY", "OTHER"]
    corrects: FactNumber | None = None


class MemberShown(Shown):
    """A person as recorded, from the day on from which it holds."""

    id: uuid.UUID
    household_id: uuid.UUID
    name: str = Field(examples=["Lường Thị Mẫu"])
    birth_date: dt.date | None = Field(examples=["1985-03-02"])
    birth_year: int = Field(examples=[1985])
    age: int = Field(description="completed years on the day asked for", examples=[38])
    sex: str = Field(examples=["FEMALE"])
    relation: str = Field(examples=["HEAD"])
    residence: str = Field(examples=["PERMANENT"])
    number: str | None = Field(examples=["004185000999"])
    number_missing: str | None = Field(examples=[None])
    number_missing_text: str | None = Field(examples=[None])
    legacy_number: str | None = Field(examples=[None])
    ethnicity: str | None = Field(examples=["TAY"])
    disability: str | None = Field(examples=["NONE"])
    allowance: str | None = Field(examples=["NONE"])
    study: str | None = Field(examples=["NONE"])
    qualification: str | None = Field(examples=["UPPER_SECONDARY"])
    works_on_job_training: bool = Field(examples=[False])
    work: str | None = Field(examples=["SELF_EMPLOYED"])
    labour_capacity: str | None = Field(examples=["ABLE"])
    insurance: str | None = Field(examples=["STATE_PAID"])
    nutrition: str | None = Field(examples=["NORMAL"])
    merit: str | None = Field(examples=["NONE"])
    labels: dict[str, str] = Field(
        description="the words for each code, by field", examples=[{"relation": "Chủ hộ"}]
    )
    valid_from: dt.date = Field(description="the day from which this holds")
    fact: int = Field(description="number of the fact that says so", examples=[17])
    left_on: dt.date | None = Field(description="from this day on a member no more", examples=[None])
    left_reason: str | None = Field(examples=[None])
    version: int = Field(description="how many facts are known of the member", examples=[1])


class NoticeShown(Shown):
    """A warning: worth a second look, and no obstacle."""

    rule: str = Field(examples=["number-contradicts-sex"])
    message: str = Field(examples=["Số định danh cho biết giới tính Nam, phiếu ghi Nữ."])
    field: str | None = Field(examples=["sex"])
    member_id: uuid.UUID | None = Field(description="whom it is about; null = the household")


class AlikeShown(Shown):
    """One record of somebody who may be recorded twice. Outside your area only where to ask is told."""

    masked: bool = Field(description="whether the person lives outside your area", examples=[False])
    household_id: uuid.UUID
    commune: str
    member_id: uuid.UUID | None
    name: str | None = Field(examples=["Lường Thị Mẫu"])
    birth_date: dt.date | None = Field(examples=["1985-03-02"])
    birth_year: int | None = Field(examples=[1985])
    number: str | None = Field(description="its last digits", examples=["••••••••0999"])


class PairShown(Shown):
    """Two records that may be one person. Nothing is ever merged by itself."""

    one: AlikeShown
    other: AlikeShown
    same_household: bool
    why: list[str] = Field(examples=[["NUMBER"]])
    why_labels: list[str] = Field(examples=[["Trùng số định danh cá nhân"]])


class MembersShown(Shown):
    """The members of a household on a day, as known at a moment."""

    household_id: uuid.UUID
    on: dt.date
    known_at: dt.datetime | None = Field(description="null = now")
    members: list[MemberShown]


class MemberWritten(Shown):
    """A member after a change, with what deserves a second look."""

    member: MemberShown
    warnings: list[NoticeShown]
    duplicates: list[PairShown]


class MembersWritten(Shown):
    """A household's list after it was given, with what deserves a second look."""

    household_id: uuid.UUID
    on: dt.date
    members: list[MemberShown]
    warnings: list[NoticeShown]
    duplicates: list[PairShown]


class FactShown(Shown):
    """One thing recorded of a member: what, from which day, by whom and when."""

    fact: int = Field(examples=[17])
    kind: str = Field(examples=["ENTERED"])
    kind_label: str = Field(examples=["Vào hộ"])
    valid_from: dt.date
    recorded_at: dt.datetime
    recorded_by: str = Field(examples=["officer-23827"])
    corrects: int | None = Field(description="the fact in whose place it stands", examples=[None])
    left_reason: str | None = Field(examples=[None])
    member: MemberShown


class FactsShown(Shown):
    """Everything recorded of a member, in the order of recording."""

    member_id: uuid.UUID
    facts: list[FactShown]


def member_shown(
    fact: MemberFact, own: Sequence[MemberFact], household_id: uuid.UUID, on: dt.date, lang: Lang
) -> MemberShown:
    """A member as a fact describes it; `own` is all that is known of the member."""
    member = fact.member
    left = [each for each in in_force(own) if each.kind is MemberFactKind.LEFT and each.valid_from <= on]
    coded = (*LISTS, "number_missing")
    codes = {name: code for name in coded if (code := getattr(member, name)) is not None}
    labels = {name: code_list(name).label(code, lang) for name, code in codes.items()}
    reason = left[-1].left_reason if left else None
    if reason:
        labels["left_reason"] = code_list("left_reason").label(reason, lang)
    return MemberShown(
        id=member.id,
        household_id=household_id,
        birth_date=member.birth.day,
        birth_year=member.birth.year,
        age=member.age(on),
        sex=member.sex.value,
        **{name: getattr(member, name) for name in _DESCRIBED},
        labels=labels,
        valid_from=fact.valid_from,
        fact=fact.sequence,
        left_on=left[-1].valid_from if left else None,
        left_reason=reason,
        version=len(own),
    )


def notice_shown(notice: Notice, member_id: uuid.UUID | None, lang: Lang) -> NoticeShown:
    """A warning in the asker's language."""
    message = notice.message_vi if lang == "vi" else notice.message_en
    return NoticeShown(rule=notice.rule, message=message, field=notice.field, member_id=member_id)


async def pairs_shown(
    conn: Conn, vault: Vault, scope: Scope, pairs: Iterable[Row[Any]], lang: Lang
) -> list[PairShown]:
    """Pairs as they may be shown to whoever has this scope; one that opened records do not confirm is left out."""
    listed = list(pairs)
    known = await store.members.persons(conn, vault, [each for pair in listed for each in pair])
    found = []
    for pair in listed:
        one, other = known[pair.one][0], known[pair.other][0]
        why = same_person(one, other)
        if why:
            found.append(
                PairShown(
                    one=_alike(one, scope),
                    other=_alike(other, scope),
                    same_household=one.household_id == other.household_id,
                    why=[each.value for each in why],
                    why_labels=[WHY_LABELS[each][0 if lang == "vi" else 1] for each in why],
                )
            )
    return found


def homes_of(pairs: Sequence[PairShown]) -> set[uuid.UUID]:
    """The households of these pairs."""
    return {each.household_id for pair in pairs for each in (pair.one, pair.other)}


def _alike(person: Person, scope: Scope) -> AlikeShown:
    seen = scope.covers(person.area)
    return AlikeShown(
        masked=not seen,
        household_id=person.household_id,
        commune=person.area,
        member_id=person.member_id if seen else None,
        name=person.name if seen else None,
        birth_date=person.birth.day if seen else None,
        birth_year=person.birth.year if seen else None,
        number=masked_number(person.number) if seen else None,
    )


def masked_number(number: str | None) -> str | None:
    """A number by its last digits: enough to recognise it."""
    if number is None:
        return None
    try:
        return parse_number(number).masked
    except Refused:
        return None
