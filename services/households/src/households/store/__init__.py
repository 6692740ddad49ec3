"""All SQL of the register, and the only translation between rows and domain."""

from households.store import (
    combinations,
    cycles,
    deadlines,
    decisions,
    holidays,
    households,
    imports,
    members,
    places,
    recognitions,
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
    "holidays",
    "households",
    "imports",
    "members",
    "places",
    "recognitions",
    "registry",
    "reviews",
    "search",
    "simulating",
    "simulations",
    "tellings",
]
