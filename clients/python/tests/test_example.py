"""examples/orders-python, while the service and the server are killed."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from ees_client import EventStore
from ees_client.testing import serve
from playing import CLIENTS

SERVICE = CLIENTS.parent / "examples" / "orders-python" / "service.py"
KINDS = [("place", 500), ("pay", 200), ("pay", 100)]


class Service:
    """The service as a process."""

    def __init__(self, folder: Path, store: str) -> None:
        self.folder = folder
        source = str(CLIENTS / "python" / "src")
        self.environment = {**os.environ, "EES_URL": store, "PYTHONPATH": source}

    def start(self) -> None:
        command = [sys.executable, str(SERVICE), "0"]
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_commands_are_executed_once(tmp_path: Path) -> None:
    client = httpx.Client(verify=False, timeout=60)
    commands: list[dict[str, Any]] = [
        {"stream": f"order-{order}", "command_id": f"{order}-{n}", "kind": kind, "cents": cents}
        for n, (kind, cents) in enumerate(KINDS)
        for order in range(4)
    ]
    with client, serve(f"sqlite:{tmp_path / 'ees.db'}") as server:
        service = Service(tmp_path, server.url)
        service.start()
        for number, command in enumerate(commands):
            # Each command is sent twice, as by an impatient user.
            for _ in range(2):
                assert client.post(service.url, json=command).status_code == 200
            if number % 4 == 1:
                service.kill()
                service.start()
            if number % 4 == 3:
                server.kill()
                server.start()
        too_much = {**commands[-1], "command_id": "x", "cents": 201}
        assert client.post(service.url, json=too_much).status_code == 409
        with EventStore(server.url) as store:
            stored = [(c.stream_id, c.events[0]["type"]) for c in store.read_all_changesets()]
        assert len(stored) == len(commands)
        expected = {f"order-{order}": 200 for order in range(4)}
        end = time.monotonic() + 60
        while (found := client.get(service.url).json()) != expected:
            assert time.monotonic() < end, found
            time.sleep(0.05)
        service.kill()
