"""A real sshd on loopback with keys of its own, and a way to it that can be cut at any moment."""

import os
import select
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SSHD = "/usr/sbin/sshd"
START_S = 20


class Cutter:
    """Passes connections on to a port, and cuts them when it is told."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.refuse = False
        self.num_bytes = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            if self.refuse:
                near.close()
                far.close()
                continue
            self._pairs.append((near, far))
            threading.Thread(target=self._pass, args=(near, far), daemon=True).start()

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError, ValueError):
            while True:
                for ready in select.select([near, far], [], [])[0]:
                    content = ready.recv(1 << 16)
                    if not content:
                        return
                    self.num_bytes += len(content)
                    (far if ready is near else near).sendall(content)

    def cut(self) -> None:
        """Cut all that is connected now, in both directions."""
        pairs, self._pairs = self._pairs, []
        for each in pairs:
            for end in each:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def close(self) -> None:
        self._listener.close()
        self.cut()


@contextmanager
def running(folder: Path, home: Path) -> Iterator[Cutter]:
    """Run sshd in a folder; ``home/.ssh`` then has a key that it takes, knows its key, and calls it ``board``.

    ``other`` is the same server, whose key is not known.
    """
    keys = {}
    for name in ("host", "user"):
        keys[name] = folder / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys[name]], check=True)
    (folder / "authorized").write_text(keys["user"].with_suffix(".pub").read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where Debian's sshd gives up its rights
    settings = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": keys["host"], "PidFile": folder / "pid",
        "AuthorizedKeysFile": folder / "authorized", "StrictModes": "no", "UsePAM": "no",
        "PasswordAuthentication": "no", "KbdInteractiveAuthentication": "no", "MaxStartups": "100",
        "PermitRootLogin": "prohibit-password",
    }  # fmt: skip
    (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    log = folder / "log"
    server = subprocess.Popen([SSHD, "-D", "-f", folder / "config", "-E", log], start_new_session=True)
    cutter = None
    try:
        _wait(port, server, log)
        cutter = Cutter(port)
        ssh = home / ".ssh"
        ssh.mkdir(parents=True, mode=0o700)
        host_key = " ".join(keys["host"].with_suffix(".pub").read_text().split()[:2])
        (ssh / "known_hosts").write_text(f"[127.0.0.1]:{cutter.port} {host_key}\n")
        (ssh / "empty").write_text("")
        user = os.environ.get("USER") or "root"
        common = f"  User {user}\n  Port {cutter.port}\n  IdentityFile {keys['user']}\n"
        (ssh / "config").write_text(
            f"Host board\n  HostName 127.0.0.1\n  UserKnownHostsFile {ssh}/known_hosts\n{common}"
            f"Host other\n  HostName 127.0.0.1\n  UserKnownHostsFile {ssh}/empty\n{common}"
            f"Host keyless\n  HostName 127.0.0.1\n  UserKnownHostsFile {ssh}/known_hosts\n  User {user}\n"
            f"  Port {cutter.port}\n  IdentityFile {keys['host']}\n"
        )
        yield cutter
    finally:
        if cutter:
            cutter.close()
        server.terminate()
        server.wait(START_S)


def _wait(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"sshd did not start: {log.read_text() if log.exists() else ''}")


def is_there() -> bool:
    """Whether Debian's openssh-server is installed."""
    return shutil.which(SSHD) is not None and shutil.which("ssh-keygen") is not None
