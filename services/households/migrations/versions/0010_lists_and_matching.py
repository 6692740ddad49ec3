"""Files of households, members and form B; rows that an officer matches by hand; notices that are posted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UNMATCHED = (
    "state = 'REFUSED' and matched_by in ('AMBIGUOUS', 'REFUSED') and resolution is distinct from 'SKIP'"
)


def upgrade() -> None:
    """Every import so far was one of results."""
    op.add_column("imports", sa.Column("kind", sa.Text(), server_default="RESULTS", nullable=False))
    op.add_column("imports", sa.Column("holds_from", sa.Date(), nullable=True))
    op.alter_column("imports", "review_id", nullable=True)
    op.create_check_constraint(
        "kind_known", "imports", "kind in ('RESULTS', 'FORM_B', 'HOUSEHOLDS', 'MEMBERS')"
    )
    op.create_check_constraint(
        "review_or_day",
        "imports",
        "(kind in ('RESULTS', 'FORM_B')) = (review_id is not null)"
        " and (review_id is null) = (holds_from is not null)",
    )
    op.create_index(
        "uq_imports_list",
        "imports",
        ["commune", "kind", "sha256"],
        unique=True,
        postgresql_where=sa.text("review_id is null and not dry_run and state <> 'FAILED'"),
    )
    op.create_index("ix_imports_commune", "imports", ["commune", "id"])
    op.add_column("import_rows", sa.Column("given", sa.LargeBinary(), nullable=True))
    op.add_column("import_rows", sa.Column("group_no", sa.Integer(), nullable=True))
    op.add_column("import_rows", sa.Column("member_id", sa.UUID(), nullable=True))
    op.add_column("import_rows", sa.Column("resolution", sa.Text(), nullable=True))
    op.add_column("import_rows", sa.Column("resolved_by", sa.Text(), nullable=True))
    op.add_column("import_rows", sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("applied_once", "import_rows", type_="check")
    op.create_check_constraint(
        "told_when_applied", "import_rows", "applied_sequence is null or state = 'APPLIED'"
    )
    op.create_check_constraint(
        "resolved_whole",
        "import_rows",
        "(resolution is null) = (resolved_by is null) and (resolution is null) = (resolved_at is null)",
    )
    op.create_check_constraint(
        "resolution_known", "import_rows", "resolution in ('HOUSEHOLD', 'MEMBER', 'NEW', 'SKIP')"
    )
    op.create_index(
        "ix_import_rows_unmatched",
        "import_rows",
        ["import_id", "row_no"],
        postgresql_where=sa.text(UNMATCHED),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.UUID(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("review_id", sa.UUID(), nullable=False),
        sa.Column("commune", sa.Text(), nullable=False),
        sa.Column("village", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("posted_until", sa.Date(), nullable=False),
        sa.Column("working_days", sa.SmallInteger(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("listed", postgresql.JSONB(), nullable=False),
        sa.Column("posted_by", sa.Text(), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("posted_until > posted_on", name=op.f("ck_notices_posted_for_days")),
        sa.ForeignKeyConstraint(
            ["commune", "village"],
            ["villages.commune", "villages.code"],
            name=op.f("fk_notices_commune_village_villages"),
        ),
        sa.ForeignKeyConstraint(["review_id"], ["reviews.id"], name=op.f("fk_notices_review_id_reviews")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "review_id", "village", "posted_on", name=op.f("uq_notices_review_id_village_posted_on")
        ),
    )


def downgrade() -> None:
    """Only while no list was ever imported: a list has no review to stand under."""
    op.drop_table("notices")
    op.drop_index("ix_import_rows_unmatched", "import_rows")
    for name in ("resolution_known", "resolved_whole", "told_when_applied"):
        op.drop_constraint(name, "import_rows", type_="check")
    op.create_check_constraint(
        "applied_once", "import_rows", "(state = 'APPLIED') = (applied_sequence is not null)"
    )
    for name in ("resolved_at", "resolved_by", "resolution", "member_id", "group_no", "given"):
        op.drop_column("import_rows", name)
    op.drop_index("ix_imports_commune", "imports")
    op.drop_index("uq_imports_list", "imports")
    for name in ("review_or_day", "kind_known"):
        op.drop_constraint(name, "imports", type_="check")
    op.alter_column("imports", "review_id", nullable=False)
    op.drop_column("imports", "holds_from")
    op.drop_column("imports", "kind")
