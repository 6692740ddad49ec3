"""nats-py's client, with a short way for what arrives by the ten thousand and an end that is always told."""

from collections.abc import Callable
from typing import Any

from nats.aio import client as nats_client
from nats.aio.subscription import Subscription

# Subject, ack subject and payload of a message that a stream delivers.
Hear = Callable[[str, str, bytes], None]
_DELIVERED = b"$JS.ACK."


class Client(nats_client.Client):
    """The client of one connection."""

    def __init__(self) -> None:
        super().__init__()
        self._hearing: dict[int, Hear] = {}

    def hear(self, subscription: Subscription, hear: Hear) -> None:
        """Give a subscription's messages of a stream to `hear`, which must not raise, in the order they arrive.

        They pass by the subscription's queue and its task, and nobody reads their headers: that is half the
        cost of a message. What else comes, such as the server's word on a request, goes to its callback.
        """
        number = next(number for number, each in self._subs.items() if each is subscription)
        self._hearing[number] = hear

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        hear = self._hearing.get(sid)
        if hear is None or not reply.startswith(_DELIVERED):
            await super()._process_msg(sid, subject, reply, data, headers)
        else:
            hear(subject.decode(), reply.decode(), data)

    async def _flush_pending(self, force_flush: bool = False) -> Any:
        try:
            return await super()._flush_pending(force_flush)
        except RuntimeError as error:
            # uvloop's word for a connection that has ended; every caller is ready for a lost one.
            raise ConnectionResetError(str(error)) from error

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        # It would write these to a connection that was reset, and fail before it has told anybody of the end.
        self._pending, self._pending_data_size = [], 0
        await super()._close(status, do_cbs)

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        # In a third of the time: nats-py looks at every character of every name.
        parts = [line.partition(b":") for line in raw.split(b"\r\n")]
        return {
            name.strip().decode(): value.strip().decode("utf-8", "replace")
            for name, colon, value in parts
            if colon
        }
