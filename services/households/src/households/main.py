"""Puts households together: settings from the environment, routes, stream, background work, commands."""

from pathlib import Path
from typing import Annotated

import typer

from benvung.reorganised import Keeper
from benvung.service import Service
from benvung.web import cli as command_line
from households import events
from households.api import ROUTERS
from households.deadlines import watch_deadlines
from households.due import install as install_retention
from households.follower import Follower
from households.importer import Importer
from households.indexer import NameIndexer
from households.keys import KeyCheck
from households.keys import install as install_keys
from households.pages import ROUTERS as PAGES
from households.settings import Settings
from households.simulator import Simulator
from households.tables import (
    area_types,
    changes,
    decisions,
    household_totals,
    import_rows,
    lineage,
    metadata,
    placements,
    populations,
    reorganisations,
    reorganised_areas,
    stated_area_types,
    tellings,
)

EVENTS = (
    events.HouseholdRegistered,
    events.HouseholdClassified,
    events.HouseholdLeft,
    events.HouseholdArrived,
    events.HouseholdClosed,
    events.HouseholdResized,
    events.HouseholdAnnulled,
    events.ReviewOpened,
    events.ReviewClosed,
    events.DeadlineMissed,
    events.RecognitionDecided,
    events.PopulationRecorded,
    events.TotalRecorded,
    events.AreaReorganised,
    events.AreaTyped,
    events.EventsWithdrawn,
)


def build(settings: Settings | None = None) -> Service:
    """The households service, with settings from the environment unless given."""
    settings = settings or Settings()
    return Service(
        name="households",
        title_vi="Sổ hộ nghèo, hộ cận nghèo",
        title_en="Register of poor and near-poor households",
        package="households",
        settings=settings,
        metadata=metadata,
        routers=ROUTERS,
        pages=PAGES,
        events=EVENTS,
        streams={
            "HOUSEHOLDS": ("funding", "reporting", "training"),
            # What the law calls sensitive; nobody reads it yet.
            "HOUSEHOLDS_RESTRICTED": (),
        },
        sequences=(
            decisions.c.sequence,
            decisions.c.corrects,
            changes.c.sequence,
            changes.c.corrects,
            tellings.c.sequence,
            tellings.c.fact,
            tellings.c.replaces,
            lineage.c.fact,
            lineage.c.predecessor_fact,
            populations.c.sequence,
            household_totals.c.sequence,
            import_rows.c.applied_sequence,
            reorganisations.c.sequence,
            placements.c.fact,
            area_types.c.sequence,
            reorganised_areas.c.sequence,
            stated_area_types.c.sequence,
        ),
        background=(
            Importer(settings),
            NameIndexer(settings),
            Simulator(settings),
            Follower(),
            watch_deadlines,
        ),
        areas=Keeper(),
        checks={"keys": KeyCheck(settings)},
    )


cli = command_line(build)
install_keys(cli, Settings)
install_retention(cli, Settings)


@cli.command()
def generate(
    *,
    out: Annotated[Path, typer.Option(help="folder for the files")],
    year: Annotated[int, typer.Option(help="year of the review")],
    district: Annotated[str, typer.Option(help="code of the district")] = "630",
    seed: Annotated[int, typer.Option(help="the same seed gives the same files")] = 1,
    register: Annotated[
        Path | None, typer.Option(help="folder with the register's CSV exports, for the second year")
    ] = None,
    form: Annotated[str, typer.Option(help="xlsx or csv")] = "xlsx",
) -> None:
    """Write the review files of an invented district that meets real counts."""
    from households.generate import generate as write

    made = write(district, year, out, seed, register=register, form="csv" if form == "csv" else "xlsx")
    typer.echo(f"{len(made.files)} tệp trong {out}")


@cli.command()
def generate_province(
    *,
    province: Annotated[str, typer.Option(help="code of the province, as it was until 2025-06-30")],
    year: Annotated[list[int], typer.Option(help="2021 to 2024; once for each year")],
    out: Annotated[Path, typer.Option(help="folder for the files")],
    seed: Annotated[int, typer.Option(help="the same seed gives the same files")] = 1,
) -> None:
    """Write the lists of invented households of a whole province in their published numbers."""
    from households.generate.province_files import write_province

    typer.echo(f"{len(write_province(province, year, out, seed))} tệp trong {out}")
