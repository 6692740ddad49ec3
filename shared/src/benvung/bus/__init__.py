"""The one wrapper around nats-py.

A `Bus` is one connection and lives as long as that connection does. It never reconnects by itself: on any
doubt its owner closes it, connects anew and starts again from what its database says. Nothing here
relies on the server's window of known message ids, and no message is published twice "to be sure".
"""

from benvung.bus.connection import Bus, read_all
from benvung.bus.messages import (
    Absent,
    Doubt,
    NotStored,
    Outgoing,
    Refused,
    Stored,
    StreamState,
    owner,
    reader_config,
    stream_config,
)
from benvung.bus.pull import Pull

BATCH_LIMIT = 1000
WRONG_LAST_SEQUENCE = frozenset({10070, 10071, 10164})
# No such stream, no such reader: their owner has not made them yet.
NOT_MADE = frozenset({10059, 10014})

__all__ = [
    "BATCH_LIMIT",
    "NOT_MADE",
    "WRONG_LAST_SEQUENCE",
    "Absent",
    "Bus",
    "Doubt",
    "NotStored",
    "Outgoing",
    "Pull",
    "Refused",
    "Stored",
    "StreamState",
    "owner",
    "read_all",
    "reader_config",
    "stream_config",
]
