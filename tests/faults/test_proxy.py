"""The wire itself: it carries, and each fault is what it says."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from tests.faults.proxy import Link, Proxies

from benvung_local.processes import LOOPBACK, free_port

SHORT = 0.3
LARGE = b"x" * 300_000


@pytest.fixture
def wire() -> Iterator[Link]:
    """A link to a server that says everything again."""
    port = free_port()
    proxies = Proxies()
    with socket.create_server((LOOPBACK, port)) as server:
        threading.Thread(target=_echo, args=(server,), daemon=True).start()
        yield proxies.link("echo", port)
        proxies.close()
        server.shutdown(socket.SHUT_RDWR)


def test_it_carries_both_ways_and_ends_with_the_connection(wire: Link) -> None:
    with connected(wire) as caller:
        threading.Thread(target=caller.sendall, args=(LARGE,), daemon=True).start()
        assert received(caller, len(LARGE)) == LARGE
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(1) == b""


def test_a_cut_breaks_what_is_there_and_refuses_what_comes(wire: Link) -> None:
    with connected(wire) as caller:
        wire.cut()
        with pytest.raises(ConnectionResetError):
            caller.recv(1)
    assert not answers(wire)
    wire.heal()
    assert answers(wire)


def test_a_reset_breaks_only_what_is_there(wire: Link) -> None:
    with connected(wire) as caller:
        wire.reset()
        with pytest.raises(ConnectionResetError):
            caller.recv(1)
    assert answers(wire)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_black_hole_is_silent_and_gives_back_what_it_held(wire: Link, direction: str) -> None:
    with connected(wire) as caller:
        caller.settimeout(SHORT)
        wire.black_hole("up" if direction == "up" else "down")
        caller.sendall(b"late")
        with pytest.raises(TimeoutError):
            caller.recv(4)
        wire.heal()
        assert received(caller, 4) == b"late"


def test_a_slow_link_delays_and_keeps_the_order(wire: Link) -> None:
    with connected(wire) as caller:
        wire.slow(SHORT, "down")
        started = time.monotonic()
        for letter in (b"a", b"b", b"c"):
            caller.sendall(letter)
            time.sleep(0.01)
        assert received(caller, 3) == b"abc"
        assert SHORT <= time.monotonic() - started < 3 * SHORT


def test_a_throttled_link_takes_its_time(wire: Link) -> None:
    with connected(wire) as caller:
        wire.throttle(20_000, "up")
        started = time.monotonic()
        caller.sendall(b"x" * 10_000)
        assert received(caller, 10_000) == b"x" * 10_000
        assert time.monotonic() - started >= 0.4


def connected(link: Link) -> socket.socket:
    """A caller of the link, answered once so that the whole way is there."""
    caller = socket.create_connection((LOOPBACK, link.port), timeout=5)
    try:
        caller.sendall(b"!")
        if caller.recv(1) != b"!":
            raise ConnectionError
    except OSError:
        caller.close()
        raise
    return caller


def answers(link: Link) -> bool:
    """Whether a new caller is answered."""
    try:
        connected(link).close()
    except ConnectionError:
        return False
    return True


def received(caller: socket.socket, number: int) -> bytes:
    """Exactly so many bytes, or what came before the end."""
    parts = b""
    while len(parts) < number and (more := caller.recv(number - len(parts))):
        parts += more
    return parts


def _echo(server: socket.socket) -> None:
    while True:
        try:
            caller, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_repeat, args=(caller,), daemon=True).start()


def _repeat(caller: socket.socket) -> None:
    with caller:
        try:
            while data := caller.recv(65536):
                caller.sendall(data)
        except OSError:
            return
