"""The use cases of this service, one function each. HTTP and messages come in by the same door.

Everything takes a connection whose transaction belongs to the caller.
"""

from funding.actions import allocations, areas, following

__all__ = ["allocations", "areas", "following"]
