"""`<service> dead-letters …` and `<service> rebuild …`: the same acts for who has the server but no browser.

They work on the service's database with the service's settings, and are recorded as `operator:` and the
name of the account. Words are Vietnamese, or English where the terminal's language is.
"""

import asyncio
import getpass
import os
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import psycopg
import sqlalchemy.exc
import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import clock, db, logs
from benvung.operations import letters, rebuilds
from benvung.operations.letters import Letter, State
from benvung.operations.payload import printable, readable
from benvung.operations.rebuilds import Rebuild
from benvung.operations.situation import situation
from benvung.pages import catalogue
from benvung.pages.formats import Formats
from benvung.problems import Problem
from benvung.service import Service

T = TypeVar("T")
LOOK_SECONDS = 0.5
NARROWEST = 60
FAILED = 1

LetterId = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="number of the dead letter")]
Why = Annotated[str, typer.Option("--reason", help="kept with who did it and when")]


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever has an account on the server."""

    subject: str


def operator() -> Operator:
    """The account that runs this process."""
    try:
        return Operator(f"operator:{getpass.getuser()}")
    except (KeyError, OSError):  # a container's account may have no name
        return Operator(f"operator:{os.getuid()}")


class Terminal:
    """Says things in the language of the terminal, without what a payload could do to it."""

    def __init__(self) -> None:
        spoken = next(
            (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
        )
        self.language = "en" if spoken.startswith("en") else "vi"
        self.t = catalogue.translator(catalogue.KIT, self.language)
        self.formats = Formats(self.language)

    def say(self, text: str) -> None:
        """One or more lines."""
        typer.echo(printable(text))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns as wide as what stands in them; the last one is cut at the edge of the terminal."""
        lines = [[" ".join(printable(cell).split()) for cell in row] for row in [heads, *rows]]
        widths = [max(len(line[at]) for line in lines) for at in range(len(heads) - 1)]
        edge = max(NARROWEST, shutil.get_terminal_size((120, 24)).columns)
        for line in lines:
            start = "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), ""])
            typer.echo(start + _cut(line[-1], max(20, edge - len(start))))

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """A name and a value on each line."""
        width = max(len(name) for name, _ in pairs)
        for name, value in pairs:
            typer.echo(f"{name.ljust(width)}  {printable(value)}")

    def refuse(self, problem: Problem) -> None:
        """Say what was refused and why."""
        vietnamese = self.language == "vi"
        title = problem.title_vi if vietnamese else problem.title_en
        detail = problem.detail_vi if vietnamese else problem.detail_en
        typer.echo(f"{title}. {detail}" if detail != title else f"{title}.", err=True)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


@dataclass(frozen=True, slots=True)
class At:
    """Where a command acts."""

    service: Service
    engine: AsyncEngine
    terminal: Terminal


def install(app: typer.Typer, built: Callable[[], Service]) -> None:
    """Give a service's command line the commands of operations."""

    def run(act: Callable[[At], Awaitable[T]]) -> T:
        service, terminal = built(), Terminal()
        logs.configure(service.name, "ERROR")
        clock.fix(service.settings.business_date)
        try:
            return asyncio.run(_with_engine(service, terminal, act))
        except Problem as problem:
            terminal.refuse(problem)
        except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            typer.echo(terminal.t("operations.command.database", error=type(cause).__name__), err=True)
        except KeyboardInterrupt:
            terminal.say("")
        raise typer.Exit(FAILED)

    app.add_typer(_letters(run), name="dead-letters")

    @app.command("rebuild")
    def rebuild(
        stream: Annotated[str, typer.Argument(help="the stream whose projection is made anew")],
        reason: Why = "",
        *,
        wait: Annotated[bool, typer.Option("--wait", help="show how far it is until it is done")] = False,
    ) -> None:
        """Have a projection made anew from its stream, beside the live one. The worker does it."""
        given = reason.strip() or "rebuild"
        if not run(lambda at: _rebuild(at, stream, given[: letters.NOTE_LENGTH], wait=wait)):
            raise typer.Exit(FAILED)


Run = Callable[[Callable[[At], Awaitable[T]]], T]


async def _with_engine(service: Service, terminal: Terminal, act: Callable[[At], Awaitable[T]]) -> T:
    engine = db.create_engine(service.settings)
    try:
        return await act(At(service, engine, terminal))
    finally:
        await engine.dispose()


def _letters(run: Callable[..., bool]) -> typer.Typer:
    commands = typer.Typer(no_args_is_help=True, help="Messages that could not be read or digested.")

    def ended(well: bool) -> None:
        if not well:
            raise typer.Exit(FAILED)

    @commands.command("list")
    def listed(
        state: Annotated[State | None, typer.Option(help="only those in this state")] = State.WAITING,
        *,
        every: Annotated[bool, typer.Option("--all", help="in whatever state")] = False,
    ) -> None:
        """List dead letters: those that wait, unless asked otherwise."""
        ended(run(lambda at: _list(at, None if every else state)))

    @commands.command()
    def show(letter: LetterId) -> None:
        """Show one dead letter: why it is here and what is in it."""
        ended(run(lambda at: _show(at, letter)))

    @commands.command()
    def retry(
        letter: Annotated[
            int | None, typer.Argument(min=1, max=2**63 - 1, help="number of the letter")
        ] = None,
        *,
        every: Annotated[bool, typer.Option("--all", help="every letter that waits")] = False,
    ) -> None:
        """Project one dead letter again, or all that wait. Exit code 1 if any of them still waits."""
        if (letter is None) is not every:
            raise typer.BadParameter("give the number of one letter, or --all")
        ended(run(lambda at: _retry_all(at) if letter is None else _retry(at, letter)))

    @commands.command()
    def discard(letter: LetterId, reason: Why) -> None:
        """Give one dead letter up, for a reason."""
        given = reason.strip()
        if not 0 < len(given) <= letters.NOTE_LENGTH:
            raise typer.BadParameter(f"--reason takes 1 to {letters.NOTE_LENGTH} characters")
        ended(run(lambda at: _discard(at, letter, given)))

    return commands


async def _list(at: At, state: State | None) -> bool:
    t, formats, after = at.terminal.t, at.terminal.formats, None
    rows: list[list[str]] = []
    while True:
        async with at.engine.connect() as conn:
            found, after = await letters.page(conn, state, None, after, letters.BOUND)
        rows += [
            [
                str(each.id),
                t(f"operations.letter.{each.state}"),
                each.stream,
                str(each.stream_seq),
                formats.moment(each.buried_at),
                str(each.attempts),
                each.reason,
            ]
            for each in found
        ]
        if after is None:
            break
    if not rows:
        at.terminal.say(t(f"operations.letters.none.{state or 'ALL'}"))
        return True
    columns = ("number", "standing", "stream", "letter.place", "buried", "attempts", "letter.why")
    at.terminal.table([t(f"operations.{name}") for name in columns], rows)
    return True


async def _show(at: At, letter_id: int) -> bool:
    async with at.engine.connect() as conn:
        letter = await letters.find(conn, letter_id)
    payload, t = readable(letter.payload), at.terminal.t
    at.terminal.facts(_facts(at.terminal, letter))
    kind, size = t(f"operations.payload.{payload.kind}"), t("operations.payload.size", size=payload.size)
    at.terminal.say(f"\n{t('operations.payload')} ({kind}, {size}):\n{payload.text}")
    return True


def _facts(terminal: Terminal, letter: Letter) -> list[tuple[str, str]]:
    t, formats = terminal.t, terminal.formats
    facts = [
        (t("operations.number"), str(letter.id)),
        (t("operations.standing"), t(f"operations.letter.{letter.state}")),
        (t("operations.letter.why"), letter.reason),
        (t("operations.letter.place"), t("operations.letter.at", stream=letter.stream, at=letter.stream_seq)),
        (t("operations.letter.subject"), letter.subject),
        (t("operations.buried"), formats.moment(letter.buried_at)),
        (t("operations.attempts"), str(letter.attempts)),
    ]
    if letter.settled_at:
        facts.append(
            (t("operations.letter.settled"), f"{formats.moment(letter.settled_at)}, {letter.settled_by}")
        )
    if letter.note:
        code = letter.state is State.RETRIED
        facts.append(
            (t("operations.letter.note"), t(f"operations.note.{letter.note}") if code else letter.note)
        )
    return facts


async def _retry(at: At, letter_id: int) -> bool:
    async with at.engine.begin() as conn:
        letter = await letters.retry(conn, at.service.projectors, letter_id, operator())
    t = at.terminal.t
    if letter.state is State.WAITING:
        at.terminal.say(f"{t('operations.went.again')}: {letter.reason}")
        return False
    about = f"operations.note.{letter.note}" if letter.note else "operations.went.retried.about"
    at.terminal.say(f"{t('operations.went.retried')}. {t(about)}")
    return True


async def _retry_all(at: At) -> bool:
    t, after = at.terminal.t, None
    retried = kept = 0
    while True:
        answers, after = await letters.retry_each(at.engine, at.service.projectors, operator(), after=after)
        for each in answers:
            went = each.state is not State.WAITING
            retried, kept = retried + went, kept + (not went)
            words = t(f"operations.letter.{each.state}")
            at.terminal.say(f"{each.id}: {words}" + ("" if went else f": {each.reason}"))
        if after is None:
            break
    at.terminal.say(t("operations.round", retried=retried, kept=kept))
    return kept == 0


async def _discard(at: At, letter_id: int, reason: str) -> bool:
    async with at.engine.begin() as conn:
        await letters.discard(conn, letter_id, reason, operator())
    at.terminal.say(at.terminal.t("operations.went.discarded"))
    return True


async def _rebuild(at: At, stream: str, reason: str, *, wait: bool) -> bool:
    async with at.engine.begin() as conn:
        asked = await rebuilds.request(conn, at.service.projectors, stream.upper(), reason, operator())
    t = at.terminal.t
    at.terminal.say(f"{t('operations.rebuild.one', id=asked.id)}: {t(f'operations.rebuild.{asked.state}')}")
    return await _follow(at, asked) if wait else True


async def _follow(at: At, asked: Rebuild) -> bool:
    """Show every step until the rebuild is over, and whoever does not do it."""
    said = ""
    while True:
        async with at.engine.connect() as conn:
            rebuild = await rebuilds.find(conn, asked.id)
            rebuilder = (await situation(conn, at.service)).rebuilder if rebuild.open else None
        words = _words(at.terminal, rebuild)
        if rebuilder is not None and not rebuilder.well:
            state = at.terminal.t(f"operations.state.{rebuilder.state}")
            why = rebuilder.why(at.terminal.language)
            words += f" ({state}: {why})" if why else f" ({state})"
        if words != said:
            at.terminal.say(words)
            said = words
        if not rebuild.open:
            return rebuild.state is rebuilds.State.DONE
        await asyncio.sleep(LOOK_SECONDS)


def _words(terminal: Terminal, rebuild: Rebuild) -> str:
    t, number = terminal.t, terminal.formats.number
    words = t(f"operations.rebuild.{rebuild.state}")
    if rebuild.state is rebuilds.State.READING and rebuild.stream_end:
        words += ": " + t("progress.text", done=number(rebuild.stream_seq), total=number(rebuild.stream_end))
    for table, counted in sorted((rebuild.differences or {}).items()):
        words += (
            f"\n  {table}: {t('operations.rows.live')} {number(counted['live'])},"
            f" {t('operations.rows.only_live')} {number(counted['only_live'])},"
            f" {t('operations.rows.only_new')} {number(counted['only_new'])}"
        )
    if rebuild.announced is not None:
        words += f"\n  {t('operations.rebuild.announced')}: {number(rebuild.announced)}"
    return words
