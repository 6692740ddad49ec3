"""Forms as they were filled: what they came to stands open, their answers are sealed."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.auth import Scope
from benvung.vault import Vault
from households.tables import filled_forms

Content = Mapping[str, Any]


async def add(conn: AsyncConnection, vault: Vault, values: Mapping[str, Any], content: Content) -> None:
    """Store a filled form. It is never changed: a form that was filled wrongly is filled again."""
    sealed = vault.seal(json.dumps(content, ensure_ascii=False))
    await conn.execute(filled_forms.insert().values({**values, "sealed": sealed}))


async def one(
    conn: AsyncConnection, vault: Vault, form_id: uuid.UUID, scope: Scope
) -> tuple[sa.Row[Any], Content] | None:
    """One form within the scope with its answers, or nothing."""
    query = sa.select(filled_forms).where(filled_forms.c.id == form_id, scope.where(filled_forms.c.commune))
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else (row, json.loads(vault.open(row.sealed)))


def of_review(scope: Scope, review_id: uuid.UUID, household_id: uuid.UUID | None) -> sa.Select[Any]:
    """The forms that were filled in a review, without their answers."""
    columns = [column for column in filled_forms.c if column.name != "sealed"]
    query = sa.select(*columns).where(
        filled_forms.c.review_id == review_id, scope.where(filled_forms.c.commune)
    )
    return query if household_id is None else query.where(filled_forms.c.household_id == household_id)
