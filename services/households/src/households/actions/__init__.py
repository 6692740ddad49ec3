"""The use cases of the register, one function each.

HTTP and the background work come in by the same door. Everything takes a connection whose transaction
belongs to the caller.
"""

from households.actions import (
    areas,
    corrections,
    cycles,
    deadlines,
    decisions,
    erasures,
    families,
    form_b_files,
    holidays,
    household_files,
    households,
    imports,
    keys,
    lists,
    matching,
    member_files,
    members,
    outcomes,
    papers,
    placements,
    reorganisations,
    reviews,
    simulations,
    verify,
)

__all__ = [
    "areas",
    "corrections",
    "cycles",
    "deadlines",
    "decisions",
    "erasures",
    "families",
    "form_b_files",
    "holidays",
    "household_files",
    "households",
    "imports",
    "keys",
    "lists",
    "matching",
    "member_files",
    "members",
    "outcomes",
    "papers",
    "placements",
    "reorganisations",
    "reviews",
    "simulations",
    "verify",
]
