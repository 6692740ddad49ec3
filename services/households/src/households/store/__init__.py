"""All SQL of the register, and the only translation between rows and domain."""

from households.store import (
    combinations,
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
