"""A listening socket that nothing should ever call."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


class Canary:
    """Counts the connections made to it."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    @property
    def hits(self) -> int:
        """How many have connected since it was last asked."""
        count = 0
        while True:
            try:
                self._listener.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


@contextmanager
def listening() -> Iterator[Canary]:
    """Listen on a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield Canary(listener)
