"""All SQL of the register, and the only translation between rows and domain."""

from households.store import (
    candidates,
    combinations,
    decisions,
    households,
    imports,
    lists,
    members,
    notices,
    official_lists,
    places,
    registry,
    reviews,
    search,
    simulating,
    simulations,
    tellings,
)

__all__ = [
    "candidates",
    "combinations",
    "decisions",
    "households",
    "imports",
    "lists",
    "members",
    "notices",
    "official_lists",
    "places",
    "registry",
    "reviews",
    "search",
    "simulating",
    "simulations",
    "tellings",
]
