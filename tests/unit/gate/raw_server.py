"""A server on loopback that answers with bytes: for what http.server does not send."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answers = Callable[[socket.socket, int, int], bool]


class RawServer:
    """Calls `answer` for each request with its connection, its number in all and on its connection, both from 1.

    It says whether the connection is kept. `heads` are the requests' heads as they came.
    """

    def __init__(self, answer: Answers) -> None:
        self.heads: list[bytes] = []
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

    def _serve(self, connected: socket.socket) -> None:
        kept, here, read = True, 0, b""
        with connected:
            while kept:
                try:
                    while b"\r\n\r\n" not in read:
                        came = connected.recv(65536)
                        if not came:
                            return
                        read += came
                    head, _, read = read.partition(b"\r\n\r\n")
                    read = b""  # bodies of these tests come with their head
                    self.heads.append(head)
                    here += 1
                    kept = self._answer(connected, len(self.heads), here)
                except OSError:
                    return

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()


@contextmanager
def serving(answer: Answers | bytes) -> Iterator[RawServer]:
    """A server that answers so, or always the same."""

    def same(connected: socket.socket, _number: int, _here: int) -> bool:
        assert isinstance(answer, bytes)
        connected.sendall(answer)
        return True

    server = RawServer(same if isinstance(answer, bytes) else answer)
    yield server
    server.close()
