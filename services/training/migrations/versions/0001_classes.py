"""The first schema: classes and what they teach, with the kit's own tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from benvung import audit

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables."""
    op.execute("create sequence outbox_id_seq cache 1")
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_entity_id"), "audit", ["entity_id"], unique=False)
    op.create_table(
        "checkpoints",
        sa.Column("projector", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("stream_created", sa.Text(), nullable=False),
        sa.Column("stream_seq", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("projector", "stream", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "classes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("organiser_name", sa.Text(), nullable=False),
        sa.Column("organiser_level", sa.Text(), nullable=False),
        sa.Column("organiser_area", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("commune", sa.Text(), nullable=True),
        sa.Column("path", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=True),
        sa.Column("plan_number", sa.Text(), nullable=True),
        sa.Column("plan_issued_on", sa.Date(), nullable=True),
        sa.Column("plan_issuer", sa.Text(), nullable=True),
        sa.Column("plan_title", sa.Text(), nullable=True),
        sa.Column("planned_from", sa.Date(), nullable=False),
        sa.Column("planned_to", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("participants", sa.Integer(), nullable=True),
        sa.Column("count_qualifier", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(held_on, ended_on, participants, count_qualifier) = case state when 'COMPLETED' then 4 when 'PLANNED' then 0 end",
            name=op.f("ck_classes_completed_has_result"),
        ),
        sa.CheckConstraint("area = any (path)", name=op.f("ck_classes_area_in_path")),
        sa.CheckConstraint("held_on <= ended_on", name=op.f("ck_classes_held_in_order")),
        sa.CheckConstraint("held_on >= planned_from", name=op.f("ck_classes_held_after_planned")),
        sa.CheckConstraint(
            "num_nonnulls(plan_number, plan_issued_on) in (0, 2)", name=op.f("ck_classes_plan_is_dated")
        ),
        sa.CheckConstraint("participants >= 1", name=op.f("ck_classes_somebody_came")),
        sa.CheckConstraint("planned_from <= planned_to", name=op.f("ck_classes_planned_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classes")),
    )
    op.create_index("ix_classes_path", "classes", ["path"], unique=False, postgresql_using="gin")
    op.create_index("ix_classes_planned_from_id", "classes", ["planned_from", "id"], unique=False)
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("projector", sa.Text(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("stream_created", sa.Text(), nullable=False),
        sa.Column("stream_seq", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("buried_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint(
            "projector",
            "stream",
            "stream_created",
            "stream_seq",
            name=op.f("uq_dead_letters_projector_stream_stream_created_stream_seq"),
        ),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("event_id", sa.UUID(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
        postgresql_with={"autovacuum_vacuum_threshold": 2000, "autovacuum_vacuum_scale_factor": 0},
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("claims", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_table(
        "topics",
        sa.Column("class_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_topics_class_id_classes")),
        sa.PrimaryKeyConstraint("class_id", "position", name=op.f("pk_topics")),
        sa.UniqueConstraint(
            "class_id", "number", "issued_on", name=op.f("uq_topics_class_id_number_issued_on")
        ),
    )
    audit.install(op)


def downgrade() -> None:
    """Remove all tables, and what they hold."""
    audit.uninstall(op)
    op.drop_table("topics")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("outbox")
    op.drop_table("dead_letters")
    op.drop_index("ix_classes_planned_from_id", table_name="classes")
    op.drop_index("ix_classes_path", table_name="classes", postgresql_using="gin")
    op.drop_table("classes")
    op.drop_table("checkpoints")
    op.drop_index(op.f("ix_audit_entity_id"), table_name="audit")
    op.drop_table("audit")
    op.execute("drop sequence outbox_id_seq")
