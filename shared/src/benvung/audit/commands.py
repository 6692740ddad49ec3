"""`<service> audit …`: check the chain, and show its newest seal."""

import time
from collections.abc import Callable
from typing import Annotated

import psycopg
import typer

from benvung.audit.chain import Anchor, Keys
from benvung.audit.check import Report, check
from benvung.settings import ServiceSettings

TELL_SECONDS = 2.0


def commands(settings: Callable[[], ServiceSettings]) -> typer.Typer:
    """The commands of a service whose settings `settings` reads when one of them runs."""
    app = typer.Typer(no_args_is_help=True, help="Check the audit's chain of seals.")

    @app.command()
    def verify(
        anchor: Annotated[
            list[str] | None,
            typer.Option(help="NUMBER:SEAL noted before, from `audit anchor`, the log or /v1/audit/seal"),
        ] = None,
    ) -> None:
        """Walk the whole chain; name what was changed, removed, put in or moved. Exit 1 if anything was."""
        try:
            anchors = [Anchor.of(text) for text in anchor or ()]
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        given = settings()
        keys = Keys.of(given.audit_key.get_secret_value())
        with psycopg.connect(given.psycopg_url(), autocommit=True, connect_timeout=10) as conn:
            conn.read_only = True
            report = check(conn, keys, anchors, _Progress())
        _tell(report)
        if report.findings:
            raise typer.Exit(1)

    @app.command()
    def anchor() -> None:
        """Print the newest seal as NUMBER:SEAL, to be noted outside the database."""
        with psycopg.connect(settings().psycopg_url(), connect_timeout=10) as conn:
            found = conn.execute(
                "select number, encode(seal, 'hex') from audit_seals order by number desc limit 1"
            ).fetchone()
        if found is None:
            typer.echo("Chưa có niêm phong nào. / Nothing is sealed yet.", err=True)
            raise typer.Exit(1)
        typer.echo(str(Anchor(*found)))

    return app


class _Progress:
    def __init__(self) -> None:
        self._next = time.monotonic() + TELL_SECONDS

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            typer.echo(f"{done} / {total}", err=True)
            self._next = time.monotonic() + TELL_SECONDS


def _tell(report: Report) -> None:
    for finding in report.findings:
        vi, en = finding.words()
        typer.echo(f"{finding.fault}: {vi} / {en}")
    if report.keyless:
        typer.echo(
            f"{report.keyless} niêm phong không dùng khóa: chỉ mốc ghi ở ngoài mới chứng minh được chúng."
            f" / {report.keyless} seals were made without a key: only an anchor proves them."
        )
    end = f", {report.newest}" if report.newest else ""
    typer.echo(f"{report.checked} niêm phong đúng{end} / {report.checked} seals hold{end}")
