"""All SQL of the register, and the only translation between rows and domain."""

from households.store import decisions, households, imports, members, places, registry, reviews, search

__all__ = ["decisions", "households", "imports", "members", "places", "registry", "reviews", "search"]
