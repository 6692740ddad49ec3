"""The events training publishes."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from benvung import envelope
from benvung.envelope import EventData
from training.domain import Form, Level, Qualifier, TrainingClass


class ClassCompleted(EventData):
    """A class was held: where, under which component, on which documents, for how many people.

    It is told when its result is recorded, and again, with the next revision, when a reorganisation from a day
    before it was held becomes known later: it then lies in another unit. Titles, venues and the organiser's name stay at home: they are free text.
    """

    event_type: ClassVar[str] = "training.class.completed.v1"

    class_id: UUID
    area: str
    project: str
    form: Form
    held_on: date
    ended_on: date
    participants: int = Field(ge=1)
    count_qualifier: Qualifier
    topics: list[str]
    organiser_level: Level

    @property
    def subject_id(self) -> str:
        return str(self.class_id)


def completed(held: TrainingClass) -> ClassCompleted:
    """The event of a class that was held, where it is known to have been held."""
    if held.held_on is None or held.ended_on is None or held.count is None or held.told is None:
        raise ValueError("the class has not been held")
    return ClassCompleted(
        province=held.told.province,
        commune=held.told.commune,
        revision=held.revision,
        class_id=held.id,
        area=held.told.area,
        project=held.component,
        form=held.form,
        held_on=held.held_on,
        ended_on=held.ended_on,
        participants=held.count.participants,
        count_qualifier=held.count.qualifier,
        topics=[topic.number for topic in held.topics],
        organiser_level=held.organiser.level,
    )


class EventsWithdrawn(envelope.EventsWithdrawn):
    """Events told by a database that was then restored to a moment before them: they no longer hold."""

    event_type: ClassVar[str] = "training.events.withdrawn.v1"
