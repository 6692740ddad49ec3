"""Causes of poverty on their way into the register: as they are said with a result, and as they are kept."""

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row

from benvung.vault import Vault
from households.domain import Refused
from households.domain.causes import Causes, cause_list, causes_given, ordered
from households.files.cause_cells import named_causes
from households.files.cells import CellInvalid
from households.store.decisions import SealedCauses
from households.store.sealed import causes_text


def kept(vault: Vault, causes: Causes | None) -> SealedCauses | None:
    """Causes as they are kept with a decision: sealed, because they tell of illness."""
    if causes is None:
        return None
    return SealedCauses(
        codes=vault.seal(json.dumps(list(causes.codes))),
        key=vault.fingerprint(causes_text(causes.codes)),
        text=None if causes.text is None else vault.seal(causes.text),
    )


def of_row(causes: SealedCauses | None) -> dict[str, Any]:
    """The same as columns of a row of a file."""
    if causes is None:
        return {}
    return {"causes": causes.codes, "cause_key": causes.key, "cause_text": causes.text}


def kept_in_row(row: Row[Any]) -> SealedCauses | None:
    """Causes as a row of a file keeps them."""
    if row.causes is None:
        return None
    return SealedCauses(row.causes, row.cause_key, row.cause_text)


def of_said(on: date, given: Mapping[str, Any]) -> Causes | None:
    """The causes among what a step of a review, or a form, says. Raises the domain's `Refused`."""
    codes: Sequence[str] | None = given.get("causes")
    return causes_given(on, codes, given.get("cause_text"))


def named_in(on: date, cell: str | None) -> Causes | None:
    """The causes that a cell of a file of forms names. Raises the domain's `Refused`."""
    try:
        codes, text = named_causes(cell)
    except CellInvalid as no:
        raise Refused(
            no.rule,
            f"Nguyên nhân nghèo: {no.message_vi}",
            f"Causes of poverty: {no.message_en}",
            "causes",
            cause_list().legal,
        ) from no
    return causes_given(on, codes, text)


def recorded(given: Mapping[str, Any]) -> Causes | None:
    """The causes of what was checked when it was recorded."""
    codes = given.get("causes")
    return Causes(ordered(codes), given.get("cause_text")) if codes else None


def beside_form(form_id: uuid.UUID, given: Causes | None, of_form: Causes | None) -> Causes | None:
    """Those of a form, or given beside one that says none. Raises the domain's `Refused` where both say some."""
    if given is not None and of_form is not None and given != of_form:
        raise Refused(
            "causes-contradict-form",
            f"Phiếu {form_id} đã ghi các nguyên nhân nghèo khác.",
            f"The form {form_id} says other causes of poverty.",
            "causes",
            cause_list().legal,
        )
    return given or of_form


def said(causes: Causes | None) -> dict[str, Any]:
    """The same, to be said by a step or kept with a form."""
    if causes is None:
        return {}
    return {"causes": list(causes.codes)} | ({} if causes.text is None else {"cause_text": causes.text})
