"""HTTP in: classes are planned, listed, read and recorded as held."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from benvung import etags, problems
from benvung.auth import OutsideArea, Principal, require
from benvung.db import Conn
from benvung.idempotency import OnlyOnce
from benvung.paging import After, CursorUnknown, Limit, Page
from benvung.problems import Invalid, NotFound
from training import actions, data, domain, store
from training.domain import Form, Level, Qualifier, State

router = APIRouter(prefix="/v1/classes", tags=["classes"])

Reader = Annotated[Principal, Depends(require("training.read"))]
Writer = Annotated[Principal, Depends(require("training.write"))]

Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
Code = Annotated[str, StringConstraints(pattern=r"^(VN|[0-9]{2,5})$")]
Component = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9.]{1,16}$")]
MOST_TOPICS = 50
MOST_PARTICIPANTS = 1_000_000


class Given(BaseModel):
    """What a caller sends: unknown fields are refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TopicGiven(Given):
    """A legal document: its number, and the date of issue when it is not in the list of known ones."""

    number: Text = Field(examples=["46/2022/TT-BTC"])
    issued_on: date | None = Field(default=None, examples=["2022-07-28"])
    issuer: Text | None = Field(default=None, examples=["Bộ Tài chính"])
    title: Text | None = None

    def topic(self) -> domain.Topic:
        """The same in the domain's terms."""
        return domain.Topic(self.number, self.issued_on, self.issuer, self.title)


class OrganiserGiven(Given):
    """The unit that holds the class."""

    name: Text = Field(examples=["UBND huyện Mường Lát"])
    level: Level
    area: Code = Field(description="code of the unit's area; VN = the whole country", examples=["384"])


class ClassGiven(Given):
    """A class to be planned."""

    title: Text = Field(examples=["Tập huấn nâng cao năng lực giảm nghèo năm 2022"])
    organiser: OrganiserGiven
    area: Code | None = Field(
        default=None,
        description="code of the area the class is for; empty = the organiser's",
        examples=["384"],
    )
    component: Component = Field(description="component of the programme", examples=["DA7.1"])
    form: Form
    topics: list[TopicGiven] = Field(min_length=1, max_length=MOST_TOPICS)
    plan: TopicGiven | None = Field(default=None, description="the plan by which the class is held")
    venue: Text | None = Field(default=None, examples=["Trung tâm Hội nghị huyện"])
    planned_from: date = Field(examples=["2022-12-20"])
    planned_to: date | None = Field(
        default=None, description="last day; empty = one day", examples=["2022-12-20"]
    )

    def proposal(self) -> domain.Proposal:
        """The same in the domain's terms."""
        return domain.Proposal(
            organiser=domain.Organiser(self.organiser.name, self.organiser.level, self.organiser.area),
            area=self.area or self.organiser.area,
            component=self.component,
            form=self.form,
            title=self.title,
            topics=tuple(each.topic() for each in self.topics),
            plan=self.plan.topic() if self.plan else None,
            venue=self.venue,
            planned_from=self.planned_from,
            planned_to=self.planned_to or self.planned_from,
        )


class ResultGiven(Given):
    """How a class went."""

    held_on: date = Field(examples=["2022-12-20"])
    ended_on: date | None = Field(default=None, description="last day; empty = one day")
    participants: int = Field(ge=1, le=MOST_PARTICIPANTS, examples=[200])
    count_qualifier: Qualifier = Field(description="how exact the count is", examples=["GREATER"])


class DocumentOut(BaseModel):
    """A legal document as it is recorded."""

    number: str
    issued_on: date
    issuer: str | None
    title: str | None

    @classmethod
    def of(cls, document: domain.Document) -> Self:
        """From the domain's document."""
        return cls(
            number=document.number,
            issued_on=document.issued_on,
            issuer=document.issuer,
            title=document.title,
        )


class OrganiserOut(BaseModel):
    """The unit that holds the class."""

    name: str
    level: Level
    area: str


class CountOut(BaseModel):
    """How many came, as reports write it."""

    participants: int
    qualifier: Qualifier
    text: str = Field(description="the count in words of the answer's language", examples=["hơn 200"])


class ClassOut(BaseModel):
    """A class."""

    id: UUID
    title: str
    organiser: OrganiserOut
    area: str
    province: str | None
    commune: str | None
    component: str
    form: Form
    topics: list[DocumentOut]
    plan: DocumentOut | None
    venue: str | None
    planned_from: date
    planned_to: date
    state: State
    held_on: date | None
    ended_on: date | None
    count: CountOut | None

    @classmethod
    def of(cls, one: domain.TrainingClass, lang: str) -> Self:
        """From the domain's class, with texts in `lang`."""
        return cls(
            id=one.id,
            title=one.title,
            organiser=OrganiserOut(
                name=one.organiser.name, level=one.organiser.level, area=one.organiser.area
            ),
            area=one.area,
            province=one.province,
            commune=one.commune,
            component=one.component,
            form=one.form,
            topics=[DocumentOut.of(topic) for topic in one.topics],
            plan=DocumentOut.of(one.plan) if one.plan else None,
            venue=one.venue,
            planned_from=one.planned_from,
            planned_to=one.planned_to,
            state=one.state,
            held_on=one.held_on,
            ended_on=one.ended_on,
            count=_count(one.count, lang) if one.count else None,
        )


def _count(count: domain.Count, lang: str) -> CountOut:
    return CountOut(participants=count.participants, qualifier=count.qualifier, text=count.words(lang))


@router.post("", status_code=201, responses=problems.responses(Invalid, OutsideArea))
async def plan_class(
    *,
    given: ClassGiven,
    conn: Conn,
    principal: Writer,
    request: Request,
    response: Response,
    once: OnlyOnce,
) -> ClassOut:
    """Plan a class or conference."""
    if once.made is None:
        planned = await actions.plan_class(conn, principal, given.proposal())
    else:
        planned = await _found(conn, principal, once.made)
    return _written(planned, request, response)


class Narrowed(BaseModel):
    """What a list of classes is narrowed to."""

    model_config = ConfigDict(extra="forbid")

    area: Code | None = Field(default=None, description="code of an area: classes in it or below")
    geography: Literal["then", "now"] = Field(
        default="then",
        description="`then` = `area` is a code of the day of each class; `now` = it is a code of today, and"
        " classes of what it was made from are listed too",
    )
    component: Component | None = None
    form: Form | None = None
    state: State | None = None
    topic: Text | None = Field(default=None, description="number of a legal document")
    first: date | None = Field(default=None, description="planned or held on or after this day")
    last: date | None = Field(default=None, description="planned or held on or before this day")
    after: After = None
    limit: Limit = 100

    def filters(self) -> store.Filters:
        """The same as the store asks for it. A topic without a number in it finds nothing."""
        topic = (data.documents().number(self.topic) or self.topic) if self.topic else None
        return store.Filters(
            self.area,
            self.geography,
            self.component,
            self.form,
            self.state,
            topic,
            self.first,
            self.last,
        )


@router.get("", responses=problems.responses(CursorUnknown))
async def list_classes(
    narrowed: Annotated[Narrowed, Query()], conn: Conn, principal: Reader, request: Request
) -> Page[ClassOut]:
    """Classes in the caller's areas, oldest plan first."""
    found, following = await store.page(conn, narrowed.filters(), principal, narrowed.after, narrowed.limit)
    return Page(items=[ClassOut.of(each, request.state.lang) for each in found], next=following)


@router.get("/{class_id}", responses=etags.responses(NotFound))
async def read_class(
    class_id: UUID, conn: Conn, principal: Reader, request: Request, response: Response
) -> ClassOut:
    """One class."""
    return _shown(await _found(conn, principal, class_id), request, response)


@router.post("/{class_id}/completion", responses=problems.responses(NotFound, Invalid))
async def complete_class(
    *,
    class_id: UUID,
    given: ResultGiven,
    conn: Conn,
    principal: Writer,
    request: Request,
    response: Response,
    once: OnlyOnce,
) -> ClassOut:
    """Record that a class was held, once."""
    if once.first:
        days = (given.held_on, given.ended_on or given.held_on)
        count = domain.Count(given.participants, given.count_qualifier)
        held = await actions.complete_class(conn, principal, class_id, days, count)
    else:
        held = await _found(conn, principal, class_id)
    return _written(held, request, response)


async def _found(conn: Conn, principal: Principal, class_id: UUID) -> domain.TrainingClass:
    found = await store.load(conn, class_id, principal)
    if found is None:
        raise NotFound
    return found


def _written(one: domain.TrainingClass, request: Request, response: Response) -> ClassOut:
    response.headers["Location"] = f"{router.prefix}/{one.id}"
    return _shown(one, request, response)


def _shown(one: domain.TrainingClass, request: Request, response: Response) -> ClassOut:
    found = ClassOut.of(one, request.state.lang)
    etags.tag(response, etags.digest(found), request.state.lang)
    return found
