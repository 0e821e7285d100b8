"""The README's code, as it stands there."""

import os
import re
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from ees_client import EventStore
from ees_client.testing import Server, serve
from playing import CLIENTS

FOLDER = CLIENTS / "python"


class Programs:
    """The programs of the README, in a folder, for a server."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "EES_URL": server.url,
            "PYTHONPATH": str(FOLDER / "src"),
        }
        text = (FOLDER / "README.md").read_text()
        for code in re.findall(r"```python\n(.*?)```", text, re.S):
            name = code.split("\n", 1)[0].removeprefix("# ").split()[0]
            (folder / name).write_text(code)

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str) -> str:
        process = self.start(*command)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        return output

    def totals(self) -> dict[str, int]:
        if not (self.folder / "totals.db").exists():
            return {}
        rows = sqlite3.connect(self.folder / "totals.db")
        try:
            return dict(rows.execute("SELECT stream, cents FROM totals"))
        except sqlite3.OperationalError:
            return {}  # The projection has just begun.
        finally:
            rows.close()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_case_94_the_readme_runs(tmp_path: Path) -> None:
    with serve(f"sqlite:{tmp_path / 'ees.db'}") as server:
        programs = Programs(tmp_path, server)
        for order, cents, command in [
            ("order-17", "250", "command-1"),
            ("order-17", "100", "command-2"),
            ("order-17", "100", "command-2"),
            ("order-17", "900", "too-much"),
        ]:
            programs.run("pay.py", order, cents, command)
        projection = programs.start("totals.py")
        wait_until(lambda: programs.totals() == {"order-17": 350})
        for number in range(3):
            with EventStore(server.url) as store:
                for changeset in range(5):
                    paid = [{"type": "paid", "cents": 1}] * 2
                    stream = f"order-{number}"
                    store.commit(stream, paid, expected_last_changeset=changeset)
            # At whatever it does: reading, writing, or nothing.
            projection.kill()
            projection.communicate()
            server.kill()
            server.start()
            projection = programs.start("totals.py")
        expected = {"order-17": 350, "order-0": 10, "order-1": 10, "order-2": 10}
        wait_until(lambda: sum(programs.totals().values()) >= sum(expected.values()))
        assert programs.totals() == expected
        for _ in range(2):
            programs.run("move.py", "order-17", "order-0", "100", "move-1")
        programs.run("move.py", "order-17", "order-0", "300", "too-much")
        expected |= {"order-17": 250, "order-0": 110}
        wait_until(lambda: programs.totals() == expected)
        projection.kill()
        projection.communicate()

        bills = programs.start("bills.py")
        assert bills.stdout is not None
        lines = sorted(bills.stdout.readline().split()[0] for _ in range(19))
        assert lines.count("order-17") == 3
        bills.kill()
        bills.communicate()
    assert "1 passed" in programs.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_pay.py")


def test_the_package_can_be_published(tmp_path: Path) -> None:
    build = ["-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(FOLDER)]
    subprocess.run([sys.executable, *build], check=True, stdout=subprocess.DEVNULL)
    (wheel,) = tmp_path.glob("*.whl")
    (source,) = tmp_path.glob("*.tar.gz")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"ees_client/py.typed", "ees_client/testing.py"} <= set(names)
    assert not any("test_" in name for name in names)
    with tarfile.open(source) as archive:
        assert any(name.endswith("/README.md") for name in archive.getnames())
