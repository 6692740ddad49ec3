"""The kit's own tables in every service's database, and the migrations that made them.

`tables` declares them as they are now. Each function below it is one step to there, called by a migration
of every service; a step that has been released is never changed.
"""

from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from benvung.audit import SEALING_TRIGGER_SQL

MOMENT = sa.DateTime(timezone=True)
_NOW = sa.func.now()
_CLOCK = sa.func.clock_timestamp()


def tables(meta: sa.MetaData) -> None:
    """Declare in `meta` the tables that the kit itself reads and writes in every service's database."""
    sa.Table(
        "outbox",
        meta,
        sa.Column("id", sa.BigInteger, sa.Sequence("outbox_id_seq", cache=1), primary_key=True),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("event_id", pg.UUID, nullable=False, unique=True),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        # A pending set is a few rows most of the time and a hundred thousand after an import.
        postgresql_with={"autovacuum_vacuum_threshold": 2000, "autovacuum_vacuum_scale_factor": 0},
    )
    sa.Table(
        "journal",
        meta,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("stream_seq", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("event_id", pg.UUID, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Index(None, "stream", "stream_seq"),
        comment="every event told, as it was told and where in the stream: the record the stream is a copy of",
    )
    sa.Table(
        "streams",
        meta,
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("created", sa.Text, nullable=False),
        comment="the life of each stream of ours that the journal's positions belong to",
    )
    sa.Table(
        "checkpoints",
        meta,
        sa.Column("projector", sa.Text, primary_key=True),
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("stream_created", sa.Text, nullable=False),
        sa.Column("stream_seq", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("moved_at", MOMENT, nullable=False, server_default=_NOW),
    )
    sa.Table(
        "rebuilds",
        meta,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("projector", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Text, nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False, server_default=_NOW),
        sa.Column("stream_created", sa.Text),
        sa.Column("stream_seq", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("finished_at", MOMENT),
        sa.Column("differences", pg.JSONB),
        sa.Column("announced", sa.BigInteger),
        sa.CheckConstraint("state in ('REQUESTED', 'READING', 'DONE', 'CANCELLED')", name="state"),
        sa.Index(
            "uq_rebuilds_open",
            "projector",
            "stream",
            unique=True,
            postgresql_where=sa.text("state in ('REQUESTED', 'READING')"),
        ),
    )
    sa.Table(
        "withdrawn",
        meta,
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("event_id", pg.UUID, primary_key=True),
        comment="events told by a database that was then restored to before them: they no longer hold",
    )
    sa.Table(
        "dead_letters",
        meta,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("projector", sa.Text, nullable=False),
        sa.Column("stream", sa.Text, nullable=False),
        sa.Column("stream_created", sa.Text, nullable=False),
        sa.Column("stream_seq", sa.BigInteger, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("buried_at", MOMENT, nullable=False, server_default=_NOW),
        sa.Column("state", sa.Text, nullable=False, server_default="WAITING"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
        sa.Column("settled_at", MOMENT),
        sa.Column("settled_by", sa.Text),
        sa.Column("note", sa.Text),
        sa.CheckConstraint("state in ('WAITING', 'RETRIED', 'DISCARDED')", name="state"),
        sa.UniqueConstraint("projector", "stream", "stream_created", "stream_seq"),
    )
    sa.Table(
        "runners",
        meta,
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("detail_vi", sa.Text, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=False),
        sa.Column("stream_created", sa.Text),
        sa.Column("stream_last", sa.BigInteger),
        comment="what each relay and projector last said of itself, for processes in which it does not run",
    )
    sa.Table(
        "audit",
        meta,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("recorded_at", MOMENT, nullable=False, server_default=_CLOCK),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("entity_id", sa.Text, nullable=False, index=True),
        sa.Column("request_id", sa.Text),
        sa.Column("detail", pg.JSONB),
        sa.Column("about", pg.ARRAY(sa.Text)),
        sa.Index(
            "ix_audit_about", "about", postgresql_using="gin", postgresql_where=sa.text("about is not null")
        ),
    )
    sa.Table(
        "audit_pending",
        meta,
        sa.Column("audit_id", sa.BigInteger, primary_key=True, autoincrement=False),
        comment="audit rows that wait for their seal",
        postgresql_with={"autovacuum_vacuum_threshold": 2000, "autovacuum_vacuum_scale_factor": 0},
    )
    sa.Table(
        "audit_seals",
        meta,
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("audit_id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("sealed_at", MOMENT, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("seal", sa.LargeBinary, nullable=False),
        comment="the chain: each audit row with its number, bound to all before it",
    )
    sa.Table(
        "idempotency_keys",
        meta,
        sa.Column("principal", sa.Text, primary_key=True),
        # The key itself stays with its sender: without it the digest, taken under it, tells nothing.
        sa.Column("key_hash", sa.LargeBinary, primary_key=True),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("request_digest", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False, server_default=_NOW, index=True),
    )
    sa.Table(
        "sessions",
        meta,
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("csrf", sa.Text, nullable=False),
        sa.Column("claims", pg.JSONB, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False, index=True),
    )


class Operations(Protocol):
    """Alembic's `op`, as far as it is used here."""

    def execute(self, sqltext: str) -> None:
        """Run one statement."""


def exact(op: Operations) -> None:
    """Second step: the journal, rebuilds, withdrawn events, settled dead letters, idempotency keys."""
    _run(op, _EXACT)


def not_exact(op: Operations) -> None:
    """Undo `exact`."""
    _run(op, _NOT_EXACT)


def _run(op: Operations, statements: Sequence[str]) -> None:
    for statement in statements:
        op.execute(statement)


_EXACT = (
    """
    create table journal (
      id bigint constraint pk_journal primary key, stream text not null, stream_seq bigint not null,
      subject text not null, event_id uuid not null, event_type text not null, payload bytea not null)
    """,
    "create index ix_journal_stream_stream_seq on journal (stream, stream_seq)",
    (
        "comment on table journal is 'every event told, as it was told and where in the stream:"
        " the record the stream is a copy of'"
    ),
    "create table streams (stream text constraint pk_streams primary key, created text not null)",
    "comment on table streams is 'the life of each stream of ours that the journal''s positions belong to'",
    "alter table checkpoints add column digest bytea",
    """
    create table rebuilds (
      id bigint generated always as identity constraint pk_rebuilds primary key,
      projector text not null, stream text not null, state text not null, reason text not null,
      requested_by text not null, requested_at timestamptz not null default now(),
      stream_created text, stream_seq bigint not null default 0, digest bytea,
      finished_at timestamptz, differences jsonb, announced bigint,
      constraint ck_rebuilds_state check (state in ('REQUESTED', 'READING', 'DONE', 'CANCELLED')))
    """,
    (
        "create unique index uq_rebuilds_open on rebuilds (projector, stream)"
        " where state in ('REQUESTED', 'READING')"
    ),
    """
    create table withdrawn (stream text not null, event_id uuid not null,
      constraint pk_withdrawn primary key (stream, event_id))
    """,
    (
        "comment on table withdrawn is 'events told by a database that was then restored to before them:"
        " they no longer hold'"
    ),
    """
    alter table dead_letters
      add column state text not null default 'WAITING', add column attempts int not null default 1,
      add column settled_at timestamptz, add column settled_by text, add column note text,
      add constraint ck_dead_letters_state check (state in ('WAITING', 'RETRIED', 'DISCARDED'))
    """,
    """
    create table runners (
      name text constraint pk_runners primary key, state text not null, detail text not null,
      detail_vi text not null, since timestamptz not null, told_at timestamptz not null, stream_created text, stream_last bigint)
    """,
    (
        "comment on table runners is 'what each relay and projector last said of itself,"
        " for processes in which it does not run'"
    ),
    """
    create table idempotency_keys (
      principal text not null, key_hash bytea not null, operation text not null,
      request_digest bytea not null, status smallint not null, location text not null,
      recorded_at timestamptz not null default now(),
      constraint pk_idempotency_keys primary key (principal, key_hash))
    """,
    "create index ix_idempotency_keys_recorded_at on idempotency_keys (recorded_at)",
    "alter table audit add column about text[]",
    "create index ix_audit_about on audit using gin (about) where about is not null",
    """
    create table audit_pending (audit_id bigint constraint pk_audit_pending primary key)
      with (autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0)
    """,
    "comment on table audit_pending is 'audit rows that wait for their seal'",
    "insert into audit_pending (audit_id) select id from audit",
    """
    create table audit_seals (
      number bigint constraint pk_audit_seals primary key,
      audit_id bigint not null constraint uq_audit_seals_audit_id unique,
      sealed_at timestamptz not null, key text, seal bytea not null)
    """,
    "comment on table audit_seals is 'the chain: each audit row with its number, bound to all before it'",
    *SEALING_TRIGGER_SQL,
)
_NOT_EXACT = (
    "drop trigger audit_waits_for_its_seal on audit",
    "drop function audit_waits_for_its_seal()",
    "drop table audit_seals",
    "drop table audit_pending",
    "alter table audit drop column about",
    "drop table idempotency_keys",
    "drop table runners",
    (
        "alter table dead_letters drop column note, drop column settled_by, drop column settled_at,"
        " drop column attempts, drop column state"
    ),
    "drop table withdrawn",
    "drop table rebuilds",
    "alter table checkpoints drop column digest",
    "drop table streams",
    "drop table journal",
)
