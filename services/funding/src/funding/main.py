"""The composition root of funding and its command line."""

from benvung.reorganised import Keeper
from benvung.service import Service
from benvung.web import cli as command_line
from funding import api
from funding.consumers import PROJECTORS
from funding.events import EVENTS
from funding.settings import Settings
from funding.tables import META


def build(settings: Settings | None = None) -> Service:
    """The funding service, with settings from the environment unless given."""
    return Service(
        name="funding",
        title_vi="Vốn và tín dụng",
        title_en="Funding",
        package="funding",
        settings=settings or Settings(),
        metadata=META,
        routers=api.routers,
        events=EVENTS,
        streams={"FUNDING": ("reporting",)},
        projectors=PROJECTORS,
        areas=Keeper(),
    )


cli = command_line(build)
