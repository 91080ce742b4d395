"""A proxy between blockprof and a real MLflow server on this machine, that can count, drop, stall or answer for it."""

import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)


class Proxy:
    """Forwards HTTP requests to ``target``; ``fault`` is asked with each one's number (from 1) and line.

    It says ``None`` (forward), ``"drop"`` (close), ``"stall"`` (never answer), ``"lose"`` (forward, but close without
    an answer) or a status such as ``"503"``. After ``stop_listening`` connections are refused, as of a server gone.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[str] = []
        self.times: list[float] = []
        self.fault: Callable[[int, str], str | None] = lambda number, line: None
        self._lock, self._open = threading.Lock(), True

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop_listening()

    def stop_listening(self) -> None:
        self._open = False
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        while self._open:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while message := _read_message(client):
                line = message.split(b"\r\n", 1)[0].decode()
                with self._lock:
                    self.requests.append(line)
                    self.times.append(time.monotonic())
                    number = len(self.requests)
                fault = self.fault(number, line) if self._open else "drop"
                if fault == "drop":
                    return
                if fault == "stall":
                    time.sleep(3600)
                if fault and fault.isdigit():
                    client.sendall(f"HTTP/1.1 {fault} Ill\r\nContent-Length: 3\r\n\r\nill".encode())
                    continue
                answer = self._forward(message)
                if fault == "lose":
                    return
                client.sendall(answer)

    def _forward(self, message: bytes) -> bytes:
        head, _, body = message.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection(self._target, timeout=60) as server:
            server.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            answer = b""
            while part := server.recv(65536):
                answer += part
        return answer


def _read_message(client: socket.socket) -> bytes:
    """A request with its body; empty where the client has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        while not body.endswith(b"0\r\n\r\n"):
            body += client.recv(65536)
        return head + b"\r\n\r\n" + body
    found = _LENGTH.search(head)
    while len(body) < int(found[1] if found else 0):
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body
