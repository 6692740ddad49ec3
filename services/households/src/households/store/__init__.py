"""All SQL of the register, and the only translation between rows and domain."""

from households.store import (
    combinations,
    decisions,
    geography,
    households,
    imports,
    members,
    places,
    registry,
    reorganisations,
    reviews,
    search,
    simulating,
    simulations,
    tellings,
)

__all__ = [
    "combinations",
    "decisions",
    "geography",
    "households",
    "imports",
    "members",
    "places",
    "registry",
    "reorganisations",
    "reviews",
    "search",
    "simulating",
    "simulations",
    "tellings",
]
