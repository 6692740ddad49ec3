"""The unit a class was planned for, and where the world was last told that it was held."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TOLD = """
update classes set told_area = told.data ->> 'area', told_province = told.data ->> 'province',
  told_commune = told.data ->> 'commune'
from (
  select distinct on (data ->> 'class_id') data from (
    select id, convert_from(payload, 'UTF8')::jsonb -> 'data' as data from journal
      where event_type = 'training.class.completed.v1'
    union all
    select id, convert_from(payload, 'UTF8')::jsonb -> 'data' from outbox
      where event_type = 'training.class.completed.v1'
  ) events order by data ->> 'class_id', id desc
) told
where classes.id = cast(told.data ->> 'class_id' as uuid) and classes.state = 'COMPLETED'
"""


def upgrade() -> None:
    """A class that lies elsewhere already counts as planned there: what it was planned for was not kept."""
    op.execute(
        "alter table classes add planned_area text, add planned_area_begins date, add told_area text,"
        " add told_province text, add told_commune text"
    )
    op.execute("update classes set planned_area = area, planned_area_begins = area_begins")
    op.execute(
        "update classes set told_area = area, told_province = province, told_commune = commune"
        " where state = 'COMPLETED'"
    )
    op.execute(_TOLD)
    op.execute(
        "alter table classes alter planned_area set not null, alter planned_area_begins set not null,"
        " add constraint ck_classes_completed_is_told check ((told_area is null) = (state = 'PLANNED'))"
    )


def downgrade() -> None:
    """Forget it: a class is where it lies."""
    op.execute("alter table classes drop constraint ck_classes_completed_is_told")
    op.execute(
        "alter table classes drop told_commune, drop told_province, drop told_area,"
        " drop planned_area_begins, drop planned_area"
    )
