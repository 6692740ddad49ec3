"""Migrated databases for tests: one template per service and run, cloned in some forty milliseconds."""

import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from benvung import db


class Databases:
    """Makes and drops databases on one server. All workers of a run share its name and so its templates.

    They belong to an ordinary role, so that a migration which needs more than an owner's rights fails.
    """

    def __init__(self, server: str, run: str, password: str) -> None:
        self._server = server
        self._role = run
        self._password = password
        self._worker = secrets.token_hex(4)
        self._numbers = itertools.count()

    def prepare(self) -> None:
        """Make the role that owns this run's databases."""
        with self._superuser() as conn:
            conn.execute(
                sql.SQL("create role {} login password {}").format(
                    sql.Identifier(self._role), sql.Literal(self._password)
                )
            )

    def template(self, service: str) -> str:
        """Name of the service's migrated template, made by whoever asks first."""
        name = f"{self._role}_{service}"
        with self._superuser() as conn:
            conn.execute("select pg_advisory_lock(hashtextextended(%s, 0))", (name,))
            if conn.execute("select from pg_database where datname = %s", (name,)).rowcount == 0:
                self._build(conn, service, name)
        return name

    def _build(self, conn: "psycopg.Connection[Any]", service: str, name: str) -> None:
        draft = f"{name}_draft"
        conn.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(draft)))
        conn.execute(
            # Whatever the server's own encoding is, these are like those of a real deployment.
            sql.SQL(
                "create database {} owner {} template template0 strategy file_copy encoding 'UTF8'"
                " locale 'C' locale_provider builtin builtin_locale 'C.UTF-8'"
            ).format(sql.Identifier(draft), sql.Identifier(self._role))
        )
        db.migrate(service, self._url(draft).replace("postgresql://", "postgresql+psycopg://", 1))
        # Only what is whole gets the name that others look for.
        conn.execute(
            sql.SQL("alter database {} rename to {}").format(sql.Identifier(draft), sql.Identifier(name))
        )

    def clone(self, service: str) -> str:
        """Address of a new database with the service's schema and nothing else in it."""
        template = self.template(service)
        name = f"{self._role}_{self._worker}_{next(self._numbers)}"
        with self._superuser() as conn:
            conn.execute(
                sql.SQL("create database {} owner {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(self._role), sql.Identifier(template)
                )
            )
        return self._url(name)

    def drop(self, url: str) -> None:
        """Drop a clone, whoever is still connected."""
        with self._superuser() as conn:
            self._drop(conn, urlsplit(url).path.lstrip("/"))

    def drop_all(self) -> None:
        """Drop everything this run made."""
        with self._superuser() as conn:
            rows = conn.execute(
                "select datname from pg_database where starts_with(datname, %s)", (f"{self._role}_",)
            ).fetchall()
            for (name,) in rows:
                self._drop(conn, name)
            conn.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(self._role)))

    @staticmethod
    def _drop(conn: "psycopg.Connection[Any]", name: str) -> None:
        conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    @contextmanager
    def _superuser(self) -> "Iterator[psycopg.Connection[Any]]":
        conn = psycopg.connect(self._server, autocommit=True, connect_timeout=10, client_encoding="utf8")
        try:
            yield conn
        finally:
            conn.close()

    def _url(self, database: str) -> str:
        parts = urlsplit(self._server)
        address = (parts.hostname or "127.0.0.1") + (f":{parts.port}" if parts.port else "")
        user = f"{self._role}:{quote(self._password)}"
        return urlunsplit(("postgresql", f"{user}@{address}", f"/{database}", parts.query, ""))
