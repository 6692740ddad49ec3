"""Causes of poverty as they are answered: with their words, and without what somebody may not see."""

from typing import Any

from pydantic import Field

from benvung.auth import Principal
from households.actions.simulations import RESTRICTED
from households.api.fields import Lang, Shown
from households.domain.causes import Causes, cause_list


class CauseShown(Shown):
    """One cause of poverty, as form 7.10 names it."""

    code: str = Field(examples=["NO_LAND"])
    label: str = Field(examples=["Không có đất sản xuất"])


class WithCauses(Shown):
    """What is answered of a household's causes of poverty."""

    causes: list[CauseShown] | None = Field(
        description="causes of poverty; empty = none recorded, or none that you may see"
    )
    cause_text: str | None = Field(
        description="which other cause, in words. They may name an illness: null without the permission"
        " `indicators.read`",
        examples=[None],
    )
    causes_withheld: list[str] = Field(
        description="codes that are left out for you wherever they are recorded: they tell of health and need the"
        " permission `indicators.read`",
        examples=[["ILLNESS"]],
    )


def withheld_from(principal: Principal) -> list[str]:
    """The causes that somebody does not see, whether they are recorded or not."""
    return [] if principal.may(RESTRICTED) else list(cause_list().restricted)


def causes_shown(principal: Principal, causes: Causes | None, lang: Lang) -> dict[str, Any]:
    """The fields of an answer that are about causes."""
    seen = None if causes is None else causes.seen(restricted=principal.may(RESTRICTED))
    known = cause_list().causes
    return {
        "causes": seen
        and [
            CauseShown(code=code, label=known[code].label(lang) if code in known else code)
            for code in seen.codes
        ],
        "cause_text": seen and seen.text,
        "causes_withheld": withheld_from(principal),
    }
