"""What stream TRAINING tells: the classes held."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from reporting.store.rows import write

_ADD_CLASSES = sa.text("""
insert into training_classes (class_id, sequence, area, project, form, held_on, ended_on, participants,
  count_qualifier, topics, organiser_level)
select distinct on (class_id) class_id, sequence, area, project, form, held_on, ended_on, participants,
  count_qualifier, topics, organiser_level
from json_to_recordset(cast(:rows as json)) as r(class_id uuid, sequence bigint, area text, project text,
  form text, held_on date, ended_on date, participants int, count_qualifier text, topics text[],
  organiser_level text)
order by class_id, sequence desc
on conflict (class_id) do update set sequence = excluded.sequence, area = excluded.area,
  project = excluded.project, form = excluded.form, held_on = excluded.held_on,
  ended_on = excluded.ended_on, participants = excluded.participants,
  count_qualifier = excluded.count_qualifier, topics = excluded.topics,
  organiser_level = excluded.organiser_level
where excluded.sequence > training_classes.sequence
""")


async def add_classes(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the newest state of each class."""
    await write(conn, _ADD_CLASSES, rows)
