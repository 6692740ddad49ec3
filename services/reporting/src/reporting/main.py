"""The service reporting, and its command line."""

from benvung.reorganised import Keeper
from benvung.service import Service
from benvung.web import cli as command_line
from reporting import pages
from reporting.api import router
from reporting.consumers import PROJECTORS
from reporting.settings import Settings
from reporting.tables import metadata


def build(settings: Settings | None = None) -> Service:
    """The service, with the settings of its environment unless given."""
    return Service(
        name="reporting",
        title_vi="Báo cáo",
        title_en="Reports",
        package="reporting",
        settings=settings or Settings(),
        metadata=metadata,
        routers=[router],
        pages=[pages.router],
        projectors=PROJECTORS,
        areas=Keeper(),
    )


cli = command_line(build)
