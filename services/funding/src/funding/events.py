"""What this service tells the world."""

import datetime as dt
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from benvung import envelope
from benvung.envelope import EventData
from funding import domain

ProductCode = Literal["POOR", "NEAR_POOR", "NEWLY_ESCAPED"]
StatusCode = Literal["ELIGIBLE", "NOT_ELIGIBLE"]
ClassCode = Literal["POOR", "NEAR_POOR", "AVERAGE_LIVING", "NOT_POOR"]


class PreviousAnswer(BaseModel):
    """The answer that the new one replaces."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: StatusCode
    commune: str = Field(description="commune in which the household was counted")
    valid_from: dt.date
    valid_to: dt.date | None = Field(description="exclusive; null = open")


class EligibilityChanged(EventData):
    """A household may, or may no longer, ask for a loan product; or its window or commune changed."""

    event_type: ClassVar[str] = "funding.eligibility.changed.v1"

    province: str
    commune: str
    household_id: UUID
    product: ProductCode
    status: StatusCode
    valid_from: dt.date = Field(description="first day of the answer")
    valid_to: dt.date | None = Field(description="first day after the window; null = open")
    reason: str = Field(
        description="reason code; its sentences are in the service's data; WITHHELD = it is sensitive"
    )
    article: str = Field(description="legal article behind the answer")
    rule_version: str = Field(description="version of the rules that gave the answer")
    poverty_class: ClassCode | None = Field(description="official class in force")
    source_sequence: int = Field(description="sequence of the household event that caused it")
    previous: PreviousAnswer | None = Field(description="null = the first answer for this product")

    @field_validator("product")
    @classmethod
    def _product_is_public(cls, product: str) -> str:
        if not domain.is_public(domain.Product(product)):
            raise ValueError(f"product {product} is restricted")
        return product

    @field_validator("reason")
    @classmethod
    def _reason_is_public(cls, reason: str) -> str:
        sentence = domain.sentences().get(reason)
        if sentence is not None and sentence.restricted:
            raise ValueError(f"reason {reason} is restricted")
        return reason

    @property
    def subject_id(self) -> str:
        """Household and product: each product's answers are ordered among themselves."""
        return f"{self.household_id}:{self.product}"


class BudgetAllocated(EventData):
    """One line of a decision that gives an area money. `revision` is the number of the line: 1, 2, 3 …"""

    event_type: ClassVar[str] = "funding.budget.allocated.v1"

    allocation_id: UUID
    area: str = Field(description="code of the area that receives the money, of any level")
    year: int = Field(description="plan year")
    origin_year: int = Field(description="year whose money it is; earlier than `year` when carried over")
    programme: str
    project: str = Field(description="component of the programme, or the programme where not broken down")
    capital_type: Literal["INVESTMENT", "RECURRENT"]
    source: str
    amount_dong: int
    decision_number: str
    decided_on: dt.date

    @property
    def subject_id(self) -> str:
        """The allocation: its lines are ordered among themselves."""
        return str(self.allocation_id)


class EventsWithdrawn(envelope.EventsWithdrawn):
    """Events told by a database that was then restored to a moment before them: they no longer hold."""

    event_type: ClassVar[str] = "funding.events.withdrawn.v1"


EVENTS: tuple[type[EventData], ...] = (EligibilityChanged, BudgetAllocated, EventsWithdrawn)
