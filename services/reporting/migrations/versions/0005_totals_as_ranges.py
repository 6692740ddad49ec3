"""How many households an area has may be a range, and persons may be unknown."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was told before is exact and has its persons."""
    op.execute("alter table populations add column most integer")
    op.execute("alter table populations alter column persons drop not null")
    op.execute("alter table populations drop constraint ck_populations_counts")
    op.execute(
        "alter table populations add constraint ck_populations_counts"
        " check (households >= 0 and persons >= 0 and most >= households)"
    )


def downgrade() -> None:
    """Forget the ranges; they are read from the stream again."""
    op.execute("delete from populations where most is not null or persons is null")
    op.execute("alter table populations drop constraint ck_populations_counts")
    op.execute(
        "alter table populations add constraint ck_populations_counts"
        " check (households >= 0 and persons >= 0)"
    )
    op.execute("alter table populations alter column persons set not null")
    op.execute("alter table populations drop column most")
