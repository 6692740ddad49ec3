"""What a service is, in one value: `main` builds it, the web factory and the worker run it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung.envelope import EventData
from benvung.projector import Projector
from benvung.settings import ServiceSettings

Background = Callable[[AsyncEngine], Awaitable[None]]
Check = Callable[[AsyncEngine], Awaitable[tuple[str, str] | None]]
"""What is missing, in Vietnamese and in English; None when nothing is."""


@dataclass(frozen=True)
class Service:
    """One deployable service.

    `streams` maps each stream the service owns to the readers (durables) it creates there for others.
    `sequences` are the columns in which the service keeps the sequence of an event of its own, for the one
    case in which an event that waits gets another (see `benvung.recovery`).
    `background` are endless coroutines of the service's own, run beside relay and projectors; `areas` keeps
    the administrative units of a process up to date, whichever half of the service it runs. `checks` are what
    the service itself needs, beside what every service does, to be ready.
    """

    name: str
    title_vi: str
    title_en: str
    package: str
    settings: ServiceSettings
    metadata: sa.MetaData
    routers: Sequence[APIRouter] = ()
    pages: Sequence[APIRouter] = ()
    events: Sequence[type[EventData]] = ()
    streams: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sequences: Sequence[sa.Column[int]] = ()
    projectors: Sequence[Projector] = ()
    background: Sequence[Background] = ()
    areas: Background | None = None
    checks: dict[str, Check] = field(default_factory=dict)
