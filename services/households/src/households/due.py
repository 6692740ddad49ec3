"""`households retention`: what was kept long enough, for the operator's daily timer. Nothing is erased by it."""

import asyncio
from collections.abc import Callable

import sqlalchemy as sa
import typer

from benvung import clock, db
from benvung.auth import Scope
from benvung.settings import ServiceSettings
from households import store
from households.domain import Refused
from households.domain.retention import Subject, period_on, subject_words


def install(app: typer.Typer, settings: Callable[[], ServiceSettings]) -> None:
    """Add the command to a service's command line."""

    @app.command()
    def retention() -> None:
        """List by commune how much was kept long enough and is not erased; what has no period is named."""
        given = settings()
        clock.fix(given.business_date)
        for line in asyncio.run(lines(given)):
            typer.echo(line)


async def lines(settings: ServiceSettings) -> list[str]:
    """One line for each subject and commune with something due, or what keeps a subject from being due."""
    engine = db.create_engine(settings)
    found = []
    try:
        async with engine.connect() as conn:
            periods = await store.retention.periods(conn)
            for subject in Subject:
                words = subject_words(subject)
                try:
                    period = period_on(periods, subject, clock.today())
                except Refused as refused:
                    found.append(f"{refused.rule}: {refused.message_vi} / {refused.message_en}")
                    continue
                due = store.retention.due_query(subject, period, clock.today(), Scope(None)).subquery("due")
                counted = sa.select(due.c.commune, sa.func.count()).group_by(due.c.commune)
                for commune, count in await conn.execute(counted.order_by(due.c.commune)):
                    found.append(
                        f"{subject} {commune}: {count} ({words['vi']} / {words['en']}; {period.document})"
                    )
    finally:
        await engine.dispose()
    return found
