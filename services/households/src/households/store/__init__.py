"""All SQL of the register, and the only translation between rows and domain."""

from households.store import (
    combinations,
    cycles,
    deadlines,
    decisions,
    households,
    imports,
    members,
    places,
    registry,
    reviews,
    search,
    simulating,
    simulations,
    tellings,
)

__all__ = [
    "combinations",
    "cycles",
    "deadlines",
    "decisions",
    "households",
    "imports",
    "members",
    "places",
    "registry",
    "reviews",
    "search",
    "simulating",
    "simulations",
    "tellings",
]
