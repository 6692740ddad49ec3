"""All SQL of the register, and the only translation between rows and domain."""

from households.store import decisions, households, imports, places, registry, reviews, tellings

__all__ = ["decisions", "households", "imports", "places", "registry", "reviews", "tellings"]
