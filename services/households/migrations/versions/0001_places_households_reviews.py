"""The first schema: places, households and reviews, with the kit's own tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from benvung import audit

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
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
        sa.Column("detail", postgresql.JSONB(), nullable=True),
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
        "populations",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("province", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "level in ('PROVINCE', 'DISTRICT', 'COMMUNE')", name=op.f("ck_populations_level_known")
        ),
        sa.CheckConstraint(
            "households >= 0 and persons >= households", name=op.f("ck_populations_plausible")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_populations")),
        sa.UniqueConstraint("sequence", name=op.f("uq_populations_sequence")),
    )
    op.create_index("ix_populations_area_as_of", "populations", ["area", "as_of"], unique=False)
    op.create_table(
        "reviews",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("area_type", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("decision_number", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="OPEN", nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(state = 'CLOSED') = (closed_on is not null)", name=op.f("ck_reviews_closed_has_day")
        ),
        sa.CheckConstraint("area_type in ('URBAN', 'RURAL')", name=op.f("ck_reviews_area_type_known")),
        sa.CheckConstraint("kind in ('ANNUAL', 'REGULAR')", name=op.f("ck_reviews_kind_known")),
        sa.CheckConstraint("stage in ('PRELIMINARY', 'OFFICIAL')", name=op.f("ck_reviews_stage_known")),
        sa.CheckConstraint("state in ('OPEN', 'CLOSED')", name=op.f("ck_reviews_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_commune_id", "reviews", ["commune", "id"], unique=False)
    op.create_index(
        "uq_reviews_annual",
        "reviews",
        ["commune", "year", "stage", "standard"],
        unique=True,
        postgresql_where=sa.text("kind = 'ANNUAL'"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("claims", postgresql.JSONB(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_table(
        "villages",
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "code ~ ('^' || commune || '[.][0-9]{2}$')", name=op.f("ck_villages_code_of_commune")
        ),
        sa.PrimaryKeyConstraint("commune", "code", name=op.f("pk_villages")),
        sa.UniqueConstraint("commune", "name_key", name=op.f("uq_villages_commune_name_key")),
    )
    op.create_table(
        "households",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("head_name", sa.LargeBinary(), nullable=False),
        sa.Column("head_key", sa.LargeBinary(), nullable=False),
        sa.Column("head_sex", sa.Text(), nullable=True),
        sa.Column("indigenous_ethnicity", sa.LargeBinary(), nullable=True),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), server_default="ACTIVE", nullable=False),
        sa.Column("poverty_class", sa.Text(), nullable=True),
        sa.Column("standard", sa.Text(), nullable=True),
        sa.Column("class_since", sa.Date(), nullable=True),
        sa.Column("left_list_on", sa.Date(), nullable=True),
        sa.Column("left_list_from", sa.Text(), nullable=True),
        sa.Column("preliminary_class", sa.Text(), nullable=True),
        sa.Column("ever_poor", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ever_near_poor", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_fact_on", sa.Date(), nullable=True),
        sa.Column("official_annual_year", sa.SmallInteger(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("head_sex in ('MALE', 'FEMALE')", name=op.f("ck_households_head_sex_known")),
        sa.CheckConstraint(
            "left_list_from in ('POOR', 'NEAR_POOR')", name=op.f("ck_households_left_list_from_known")
        ),
        sa.CheckConstraint(
            "poverty_class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_households_poverty_class_known"),
        ),
        sa.CheckConstraint(
            "preliminary_class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_households_preliminary_class_known"),
        ),
        sa.CheckConstraint(
            "status = 'ACTIVE' or poverty_class is null", name=op.f("ck_households_no_class_when_gone")
        ),
        sa.CheckConstraint("status in ('ACTIVE', 'LEFT', 'CLOSED')", name=op.f("ck_households_status_known")),
        sa.CheckConstraint(
            "(left_list_on is null) = (left_list_from is null)", name=op.f("ck_households_left_list_whole")
        ),
        sa.CheckConstraint("members > 0", name=op.f("ck_households_members_positive")),
        sa.CheckConstraint(
            "poverty_class is null or standard is not null", name=op.f("ck_households_class_has_standard")
        ),
        sa.CheckConstraint("revision > 0", name=op.f("ck_households_revision_positive")),
        sa.ForeignKeyConstraint(
            ["commune", "village"],
            ["villages.commune", "villages.code"],
            name=op.f("fk_households_commune_village_villages"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("ix_households_commune_id", "households", ["commune", "id"], unique=False)
    op.create_index("ix_households_village_code", "households", ["commune", "village", "code"], unique=False)
    audit.install(op)


def downgrade() -> None:
    audit.uninstall(op)
    for table in (
        "households",
        "villages",
        "sessions",
        "reviews",
        "populations",
        "outbox",
        "dead_letters",
        "checkpoints",
        "audit",
    ):
        op.drop_table(table)
    op.execute("drop sequence outbox_id_seq")
