"""The composition root of training and its command line."""

from benvung.reorganised import Keeper
from benvung.service import Service
from benvung.web import cli as command_line
from training import api
from training.actions import tell_again
from training.consumers import PROJECTORS
from training.events import ClassCompleted, EventsWithdrawn
from training.settings import Settings
from training.tables import metadata


def build(settings: Settings | None = None) -> Service:
    """The training service, with settings from the environment unless given."""
    return Service(
        name="training",
        title_vi="Tập huấn",
        title_en="Training",
        package="training",
        settings=settings or Settings(),
        metadata=metadata,
        routers=[api.router],
        events=[ClassCompleted, EventsWithdrawn],
        streams={"TRAINING": ("reporting",)},
        projectors=PROJECTORS,
        areas=Keeper(then=tell_again),
    )


cli = command_line(build)
