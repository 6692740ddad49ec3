"""A class: planned by a unit for an area, then recorded as held."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from training.domain.counts import Count
from training.domain.documents import Document, Documents, Topic, resolve_topics
from training.domain.refused import Refused


class Level(StrEnum):
    """The level of government that organises a class. Districts exist to 2025-06-30."""

    CENTRAL = "CENTRAL"
    PROVINCE = "PROVINCE"
    DISTRICT = "DISTRICT"
    COMMUNE = "COMMUNE"


class Form(StrEnum):
    """How a class is held."""

    CLASS = "CLASS"
    CONFERENCE = "CONFERENCE"
    ONLINE = "ONLINE"
    BLENDED = "BLENDED"
    STUDY_VISIT = "STUDY_VISIT"
    SEMINAR = "SEMINAR"


class State(StrEnum):
    """A class is planned until it is recorded as held."""

    PLANNED = "PLANNED"
    COMPLETED = "COMPLETED"


@dataclass(frozen=True)
class Component:
    """A project or sub-project of a programme, and the days on which money may be spent under it."""

    code: str
    programme: str
    name_vi: str
    name_en: str
    valid_from: date
    valid_to: date
    legal: str

    def in_force(self, on: date) -> bool:
        """True when `on` lies within the component's days, both included."""
        return self.valid_from <= on <= self.valid_to


@dataclass(frozen=True)
class Place:
    """An administrative unit as it was on a day. The whole country is level CENTRAL.

    Codes are given again: with the day it began (None = not recorded) a code means one unit.
    """

    code: str
    begins: date | None
    level: Level
    province: str | None
    commune: str | None
    path: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """Where a class was held, as it was last told: a unit of the day of the class."""

    area: str
    province: str | None
    commune: str | None


@dataclass(frozen=True)
class Whereabouts:
    """The unit a class is for, and the one under which it is told.

    They differ when the unit was divided by the day of the class: then it is told under the smallest unit of
    that day which holds all parts.
    """

    place: Place
    told: Place


@dataclass(frozen=True)
class Places:
    """Where the organiser's area and the class's area lie, on the planned day."""

    organiser: Place
    place: Place


@dataclass(frozen=True)
class Register:
    """What the law and the programme know: components by code, and documents."""

    components: Mapping[str, Component]
    documents: Documents


@dataclass(frozen=True)
class Organiser:
    """The unit that holds the class: its name, its level and the code of its area."""

    name: str
    level: Level
    area: str


@dataclass(frozen=True)
class Proposal:
    """A class as somebody wants to plan it, before any rule has looked at it."""

    organiser: Organiser
    area: str
    component: str
    form: Form
    title: str
    topics: tuple[Topic, ...]
    plan: Topic | None
    venue: str | None
    planned_from: date
    planned_to: date


@dataclass(frozen=True)
class TrainingClass:
    """A class. `count`, `held_on`, `ended_on` and `told` are set exactly when it is completed.

    `area` and `area_begins` are the unit it is for: the one it was planned for (`planned_area`, with the day
    that one began), or what that had become by the day on which the class was held.

    `revision` counts the events told about it, so a planned class has none.
    """

    id: UUID
    organiser: Organiser
    area: str
    area_begins: date | None
    planned_area: str
    planned_area_begins: date | None
    province: str | None
    commune: str | None
    component: str
    form: Form
    title: str
    topics: tuple[Document, ...]
    plan: Document | None
    venue: str | None
    planned_from: date
    planned_to: date
    state: State = State.PLANNED
    held_on: date | None = None
    ended_on: date | None = None
    count: Count | None = None
    told: Told | None = None
    revision: int = 0


def plan_class(class_id: UUID, proposal: Proposal, places: Places, register: Register) -> TrainingClass:
    """A planned class, or `Refused` with the first rule the proposal breaks."""
    _check_dates(proposal.planned_from, proposal.planned_to, "planned_to")
    _check_component(proposal.component, proposal.planned_from, register.components)
    _check_places(proposal.organiser, places)
    documents, place = register.documents, places.place
    topics = resolve_topics(proposal.topics, documents)
    plan = documents.resolve(proposal.plan, "plan.number") if proposal.plan else None
    return TrainingClass(
        id=class_id,
        organiser=proposal.organiser,
        area=place.code,
        area_begins=place.begins,
        planned_area=place.code,
        planned_area_begins=place.begins,
        province=place.province,
        commune=place.commune,
        component=proposal.component,
        form=proposal.form,
        title=proposal.title,
        topics=topics,
        plan=plan,
        venue=proposal.venue,
        planned_from=proposal.planned_from,
        planned_to=proposal.planned_to,
    )


def placed(held: TrainingClass, where: Whereabouts | None) -> TrainingClass:
    """The class that was held, with the unit that its own was or had become by then; None = not known."""
    if where is None:
        return replace(held, told=Told(held.area, held.province, held.commune))
    place, told = where.place, where.told
    return replace(
        held,
        area=place.code,
        area_begins=place.begins,
        province=place.province,
        commune=place.commune,
        told=Told(told.code, told.province, told.commune),
    )


def told_again(held: TrainingClass, where: Whereabouts | None) -> TrainingClass:
    """The class with the unit it is known now to have been held in: a revision more if that is news."""
    now = held if where is None else placed(held, where)
    return now if now.told == held.told else replace(now, revision=held.revision + 1)


def complete(planned: TrainingClass, days: tuple[date, date], count: Count, today: date) -> TrainingClass:
    """The class as held on `days`, first and last, both included. Raises `Refused`."""
    held_on, ended_on = days
    if planned.state is State.COMPLETED:
        raise Refused(
            "class-already-completed",
            "Lớp tập huấn này đã được ghi nhận kết quả.",
            "This class has already been recorded as held.",
        )
    _check_dates(held_on, ended_on, "ended_on")
    if ended_on > today:
        raise Refused(
            "class-completed-in-future",
            f"Chưa thể ghi nhận kết quả: ngày kết thúc {ended_on:%d/%m/%Y} chưa đến.",
            f"The class cannot be recorded as held: {ended_on} has not come yet.",
            "ended_on",
        )
    if held_on < planned.planned_from:
        raise Refused(
            "class-completed-before-start",
            f"Ngày tổ chức {held_on:%d/%m/%Y} sớm hơn ngày dự kiến {planned.planned_from:%d/%m/%Y}.",
            f"The class was planned to start on {planned.planned_from} and cannot be held on {held_on}.",
            "held_on",
        )
    return replace(
        planned,
        state=State.COMPLETED,
        held_on=held_on,
        ended_on=ended_on,
        count=count,
        revision=planned.revision + 1,
    )


def _check_dates(first: date, last: date, field: str) -> None:
    if last < first:
        raise Refused(
            "class-dates-reversed",
            "Ngày kết thúc sớm hơn ngày bắt đầu.",
            "The last day lies before the first day.",
            field,
        )


def _check_component(code: str, on: date, components: Mapping[str, Component]) -> None:
    component = components.get(code)
    if component is None:
        raise Refused(
            "component-unknown",
            f"Không có dự án thành phần {code}.",
            f"There is no programme component {code}.",
            "component",
        )
    if not component.in_force(on):
        raise Refused(
            "component-not-in-force",
            f"{code} chỉ thực hiện từ {component.valid_from:%d/%m/%Y} đến {component.valid_to:%d/%m/%Y}.",
            f"{code} runs from {component.valid_from} to {component.valid_to}.",
            "component",
            component.legal,
        )


def _check_places(organiser: Organiser, places: Places) -> None:
    organiser_place, place = places.organiser, places.place
    if organiser_place.level is not organiser.level:
        raise Refused(
            "organiser-level-differs",
            f"Mã địa bàn {organiser.area} không thuộc cấp của đơn vị tổ chức.",
            f"Area {organiser.area} is not of the organiser's level.",
            "organiser.level",
        )
    if organiser_place.level is not Level.CENTRAL and organiser_place.code not in place.path:
        raise Refused(
            "class-outside-organiser",
            f"Địa bàn {place.code} không thuộc địa bàn của đơn vị tổ chức ({organiser.area}).",
            f"Area {place.code} does not lie in the organiser's area ({organiser.area}).",
            "area",
        )
