"""Older copies put back, streams taken away: what an operator may do by mistake, or must do after a loss."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from tests.faults.faults import STREAMS
from tests.faults.site import Site

from benvung.bus import Refused
from benvung_local.servers import SERVICES

NAME_IN_USE = 10058
OWNERS = {stream.lower(): stream for stream in STREAMS}


def delete_stream(site: Site, stream: str) -> None:
    """As `nats stream delete` would."""
    site.ask(stream, f"STREAM.DELETE.{stream}")


def make_stream_anew(site: Site, stream: str) -> None:
    """As an operator would who has kept its configuration."""
    config = site.ask(stream, f"STREAM.INFO.{stream}")["config"]
    delete_stream(site, stream)
    _create(site, stream, config)


def empty_stream(site: Site, stream: str) -> None:
    """Leave the stream as a purge does: nothing in it, and counting on."""
    info = site.ask(stream, f"STREAM.INFO.{stream}")
    delete_stream(site, stream)
    _create(site, stream, info["config"] | {"first_seq": info["state"]["last_seq"] + 1})


def _create(site: Site, stream: str, config: Mapping[str, Any]) -> None:
    try:
        site.ask(stream, f"STREAM.CREATE.{stream}", config)
    except Refused as refused:
        # In the middle of work its owner may have been quicker.
        if refused.code != NAME_IN_USE:
            raise


def copy_store(site: Site, to: Path) -> None:
    """Copy the folder of NATS while it is stopped."""
    site.stack.nats.stop()
    shutil.copytree(site.stack.nats.folder, to)
    site.start("nats")


def restore_store(site: Site, copy: Path) -> None:
    """Put a copy of NATS's folder in its place."""
    site.stack.nats.stop()
    _replace(site.stack.nats.folder, copy)
    site.start("nats")


def lose_messages(site: Site, stream: str) -> None:
    """Lose the files that hold a stream's messages, but not its name and its readers."""
    site.stack.nats.stop()
    [folder] = site.stack.nats.folder.glob(f"jetstream/*/streams/{stream}/msgs")
    shutil.rmtree(folder)
    site.start("nats")


def copy_cluster(site: Site, to: Path) -> None:
    """Copy PostgreSQL's folder, with every service's database, while it is stopped."""
    site.process("postgres").stop()
    _copy(site.stack.postgres.data, to)
    site.start("postgres")


def restore_cluster(site: Site, copy: Path) -> None:
    """Put a copy of PostgreSQL's folder in its place."""
    site.process("postgres").stop()
    data = site.stack.postgres.data
    shutil.rmtree(data)
    _copy(copy, data)
    site.start("postgres")


def copy_database(site: Site, service: str) -> None:
    """Copy one service's database as it is now."""
    with _alone(site, service) as conn:
        conn.execute(_named("drop database if exists {copy}", service))
        conn.execute(_named("create database {copy} template {own} owner {own}", service))


def restore_database(site: Site, service: str) -> None:
    """Put the copy in the place of the service's database."""
    with _superuser(site) as conn:
        conn.execute(_named("drop database {own} with (force)", service))
        conn.execute(_named("alter database {copy} rename to {own}", service))


def run_command(site: Site, service: str, *words: str) -> str:
    """A command of a service, as an operator would give it; returns what it says."""
    process = site.process(service)
    command = [*process.command[:-1], *words]
    done = subprocess.run(command, env=dict(process.env), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def withdrawn(site: Site, stream: str) -> list[int]:
    """Where the stream holds events that no longer hold."""
    query = "select event_id::text from withdrawn where stream = %s"
    gone = {row[0] for row in site.world.rows(stream.lower(), query, stream)}
    return [each.stream_seq for each in site.world.stream(stream) if event(each.payload)["id"] in gone]


def event(payload: bytes) -> dict[str, Any]:
    """The event that a message holds."""
    body: dict[str, Any] = json.loads(payload)
    return body


def converged(site: Site) -> str:
    """What is still under way: streams being filled, projections behind or being made anew. Empty = nothing."""
    for owner, stream in OWNERS.items():
        state = site.world.stream_state(stream)
        if not state.whole:
            return f"{stream} is being filled"
        for service in SERVICES:
            query = "select stream_created, stream_seq from checkpoints where stream = %s"
            for created, seq in site.world.rows(service, query, stream):
                if (created, seq) != (state.created, state.last_seq):
                    return f"{service} is at {seq} of {stream}, which {owner} has brought to {state.last_seq}"
    for service in SERVICES:
        query = "select projector, stream from rebuilds where state in ('REQUESTED', 'READING')"
        if rows := site.world.rows(service, query):
            return f"{service} makes anew {rows}"
        if waiting := site.world.rows(service, "select count(*) from outbox") != [(0,)]:
            return f"outbox of {service}: {waiting}"
    return ""


def _replace(folder: Path, copy: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(copy, folder)


def _copy(folder: Path, to: Path) -> None:
    # With owners: PostgreSQL has an account of its own.
    done = subprocess.run(["cp", "-a", str(folder), str(to)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _named(statement: str, service: str) -> sql.Composed:
    names = {"own": sql.Identifier(service), "copy": sql.Identifier(f"{service}_copy")}
    return sql.SQL(statement).format(
        **{name: each for name, each in names.items() if f"{{{name}}}" in statement}
    )


def _superuser(site: Site) -> psycopg.Connection[Any]:
    return psycopg.connect(site.stack.postgres.url(), autocommit=True)


@contextmanager
def _alone(site: Site, service: str) -> Iterator[psycopg.Connection[Any]]:
    """Nobody is connected to the service's database meanwhile."""
    with _superuser(site) as conn:
        conn.execute(_named("alter database {own} allow_connections false", service))
        query = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
        conn.execute(query, (service,))
        try:
            yield conn
        finally:
            conn.execute(_named("alter database {own} allow_connections true", service))
