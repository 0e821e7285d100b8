"""The scripted server, one for all tests."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from playing import CLIENTS


class Scripted:
    """Where scripts are put, and what was asked of them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.Client(verify=False)

    def put(self, name: str, answers: list[object]) -> str:
        """Puts a script, and returns the URL where it is played."""
        self.client.put(f"{self.url}/_scripts/{name}", json=answers).raise_for_status()
        return f"{self.url}/{name}"

    def requests(self, name: str) -> list[dict[str, object]]:
        """The requests to a script."""
        listed: list[dict[str, object]] = self.client.get(f"{self.url}/_scripts/{name}").json()
        return listed


@pytest.fixture(scope="session")
def scripted() -> Iterator[Scripted]:
    """The scripted server."""
    command = [sys.executable, str(CLIENTS / "scripted-server.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield Scripted(process.stdout.readline().strip())
        process.terminate()
