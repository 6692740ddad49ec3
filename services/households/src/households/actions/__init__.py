"""The use cases of the register, one function each.

HTTP and the background work come in by the same door. Everything takes a connection whose transaction
belongs to the caller.
"""

from households.actions import (
    areas,
    corrections,
    decisions,
    families,
    form_b_files,
    household_files,
    households,
    imports,
    lists,
    matching,
    member_files,
    members,
    papers,
    reviews,
    simulations,
    verify,
)

__all__ = [
    "areas",
    "corrections",
    "decisions",
    "families",
    "form_b_files",
    "household_files",
    "households",
    "imports",
    "lists",
    "matching",
    "member_files",
    "members",
    "papers",
    "reviews",
    "simulations",
    "verify",
]
