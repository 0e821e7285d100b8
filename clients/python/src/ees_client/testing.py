"""A server for tests: `with serve() as server: EventStore(server.url)`."""

from __future__ import annotations

import os
import shutil
import subprocess
from types import TracebackType


class Server:
    """A process `ees serve` on a free port of this machine, which is killed at the end.

    The binary is the one in `EES_BINARY`, or `ees` in `PATH`. A server that is started anew listens on
    the same port.
    """

    def __init__(self, storage: str = "memory:") -> None:
        self._storage = storage
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    def start(self) -> None:
        """Starts the process, and waits until it listens."""
        binary = os.environ.get("EES_BINARY") or shutil.which("ees")
        if binary is None:
            raise RuntimeError("there is no `ees`: put it into PATH, or its path into EES_BINARY")
        listen = f"127.0.0.1:{self._port}"
        process = subprocess.Popen(
            [binary, "serve", "--storage", self._storage, "--listen", listen],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        if "://" not in line:
            process.kill()
            process.wait()
            raise RuntimeError(f"`{binary} serve` did not start: it prints why on standard error")
        self._process = process
        self.url = "http://" + line.rsplit("://", 1)[1].strip()
        self._port = int(self.url.rsplit(":", 1)[1])

    def kill(self) -> None:
        """Ends the process as a crash does, by SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()


def serve(storage: str = "memory:") -> Server:
    """A server for `with`. A `storage` such as `sqlite:PATH` outlives `kill` and `start`."""
    return Server(storage)
