"""A notice is what the posting of a village's results made, and another posting takes its place."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Notices that were made by hand keep their days; the next posting takes their place as well."""
    op.execute("alter table notices add column entry integer")
    op.execute("alter table notices drop constraint uq_notices_review_id_village_posted_on")
    op.execute(
        "alter table notices add constraint uq_notices_review_id_village_entry"
        " unique (review_id, village, entry)"
    )


def downgrade() -> None:
    """Of two postings on one day the first one's notice stays."""
    op.execute(
        "delete from notices later using notices first where first.review_id = later.review_id"
        " and first.village = later.village and first.posted_on = later.posted_on and first.id < later.id"
    )
    op.execute("alter table notices drop constraint uq_notices_review_id_village_entry")
    op.execute("alter table notices drop column entry")
    op.execute(
        "alter table notices add constraint uq_notices_review_id_village_posted_on"
        " unique (review_id, village, posted_on)"
    )
