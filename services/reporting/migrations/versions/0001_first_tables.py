"""Everything reporting counts from, with the kit's own tables."""

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
    op.create_table(
        "approved_lists",
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("review_kind", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("decision_number", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "commune",
            "year",
            "review_kind",
            "stage",
            "standard",
            "valid_from",
            "decided_on",
            "decision_number",
            name=op.f("pk_approved_lists"),
        ),
    )
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
        "budget_lines",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("allocation_id", sa.UUID(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("origin_year", sa.SmallInteger(), nullable=False),
        sa.Column("programme", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("capital_type", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("amount_dong", sa.BigInteger(), nullable=False),
        sa.Column("decision_number", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_budget_lines")),
    )
    op.create_index(op.f("ix_budget_lines_area_year"), "budget_lines", ["area", "year"], unique=False)
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
        "eligibility_deltas",
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("exits", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "product in ('POOR', 'NEAR_POOR', 'NEWLY_ESCAPED')", name=op.f("ck_eligibility_deltas_product")
        ),
        sa.PrimaryKeyConstraint("commune", "product", "on_date", name=op.f("pk_eligibility_deltas")),
    )
    op.create_table(
        "eligibility_facts",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), nullable=False),
        sa.Column("previous_status", sa.Text(), nullable=True),
        sa.Column("previous_commune", sa.Text(), nullable=True),
        sa.Column("previous_valid_from", sa.Date(), nullable=True),
        sa.Column("previous_valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "product in ('POOR', 'NEAR_POOR', 'NEWLY_ESCAPED')", name=op.f("ck_eligibility_facts_product")
        ),
        sa.CheckConstraint(
            "status in ('ELIGIBLE', 'NOT_ELIGIBLE')", name=op.f("ck_eligibility_facts_status")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_eligibility_facts")),
    )
    op.create_table(
        "eligibility_states",
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "product in ('POOR', 'NEAR_POOR', 'NEWLY_ESCAPED')", name=op.f("ck_eligibility_states_product")
        ),
        sa.CheckConstraint(
            "status in ('ELIGIBLE', 'NOT_ELIGIBLE')", name=op.f("ck_eligibility_states_status")
        ),
        sa.PrimaryKeyConstraint("household_id", "product", name=op.f("pk_eligibility_states")),
    )
    op.create_index(
        op.f("ix_eligibility_states_commune_product"),
        "eligibility_states",
        ["commune", "product"],
        unique=False,
    )
    op.create_table(
        "household_facts",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("review_kind", sa.Text(), nullable=True),
        sa.Column("standard", sa.Text(), nullable=True),
        sa.Column("class", sa.Text(), nullable=True),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("previous_standard", sa.Text(), nullable=True),
        sa.Column("previous_class", sa.Text(), nullable=True),
        sa.Column("previous_members", sa.Integer(), nullable=True),
        sa.Column("movement", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("decision_number", sa.Text(), nullable=True),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_household_facts_class"),
        ),
        sa.CheckConstraint(
            "kind in ('CLASSIFIED', 'LEFT', 'ARRIVED', 'CLOSED')", name=op.f("ck_household_facts_kind")
        ),
        sa.CheckConstraint(
            "previous_class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_household_facts_previous_class"),
        ),
        sa.CheckConstraint("stage in ('PRELIMINARY', 'OFFICIAL')", name=op.f("ck_household_facts_stage")),
        sa.CheckConstraint("class is null or standard is not null", name=op.f("ck_household_facts_standard")),
        sa.CheckConstraint("members >= 0 and previous_members >= 0", name=op.f("ck_household_facts_members")),
        sa.CheckConstraint(
            "previous_class is null or (previous_standard is not null and previous_members is not null)",
            name=op.f("ck_household_facts_previous"),
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_household_facts")),
    )
    op.create_index(
        op.f("ix_household_facts_commune_valid_from"),
        "household_facts",
        ["commune", "valid_from"],
        unique=False,
    )
    op.create_table(
        "household_states",
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("area_type", sa.Text(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("class", sa.Text(), nullable=True),
        sa.Column("standard", sa.Text(), nullable=True),
        sa.Column("class_since", sa.Date(), nullable=True),
        sa.Column("preliminary_class", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_household_states_class"),
        ),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_household_states")),
    )
    op.create_index(op.f("ix_household_states_commune"), "household_states", ["commune"], unique=False)
    op.create_table(
        "official_deltas",
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_official_deltas_class"),
        ),
        sa.PrimaryKeyConstraint(
            "commune", "valid_from", "standard", "class", name=op.f("pk_official_deltas")
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
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("households >= 0 and persons >= 0", name=op.f("ck_populations_counts")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_populations")),
    )
    op.create_index(op.f("ix_populations_area_as_of"), "populations", ["area", "as_of"], unique=False)
    op.create_table(
        "preliminary_results",
        sa.Column("household_id", sa.UUID(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("members", sa.Integer(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "class in ('POOR', 'NEAR_POOR', 'AVERAGE_LIVING', 'NOT_POOR')",
            name=op.f("ck_preliminary_results_class"),
        ),
        sa.PrimaryKeyConstraint("household_id", "year", name=op.f("pk_preliminary_results")),
    )
    op.create_index(
        op.f("ix_preliminary_results_commune_year"), "preliminary_results", ["commune", "year"], unique=False
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
        "training_classes",
        sa.Column("class_id", sa.UUID(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=False),
        sa.Column("count_qualifier", sa.Text(), nullable=False),
        sa.Column("topics", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("organiser_level", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "count_qualifier in ('EXACT', 'GREATER', 'ABOUT', 'AT_LEAST', 'AT_MOST')",
            name=op.f("ck_training_classes_count_qualifier"),
        ),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_training_classes")),
    )
    op.create_index(
        op.f("ix_training_classes_area_held_on"), "training_classes", ["area", "held_on"], unique=False
    )
    audit.install(op)


def downgrade() -> None:
    """Drop all tables."""
    audit.uninstall(op)
    op.drop_index(op.f("ix_training_classes_area_held_on"), table_name="training_classes")
    op.drop_table("training_classes")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(op.f("ix_preliminary_results_commune_year"), table_name="preliminary_results")
    op.drop_table("preliminary_results")
    op.drop_index(op.f("ix_populations_area_as_of"), table_name="populations")
    op.drop_table("populations")
    op.drop_table("outbox")
    op.drop_table("official_deltas")
    op.drop_index(op.f("ix_household_states_commune"), table_name="household_states")
    op.drop_table("household_states")
    op.drop_index(op.f("ix_household_facts_commune_valid_from"), table_name="household_facts")
    op.drop_table("household_facts")
    op.drop_index(op.f("ix_eligibility_states_commune_product"), table_name="eligibility_states")
    op.drop_table("eligibility_states")
    op.drop_table("eligibility_facts")
    op.drop_table("eligibility_deltas")
    op.drop_table("dead_letters")
    op.drop_table("checkpoints")
    op.drop_index(op.f("ix_budget_lines_area_year"), table_name="budget_lines")
    op.drop_table("budget_lines")
    op.drop_index(op.f("ix_audit_entity_id"), table_name="audit")
    op.drop_table("audit")
    op.drop_table("approved_lists")
