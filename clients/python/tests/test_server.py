"""The cases of clients/cases.md with a real server."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ees_client import (
    AsyncEventStore,
    Changeset,
    ConflictError,
    EventStore,
    OtherStoreError,
    Retry,
)
from ees_client.testing import Server, serve

COMMANDS, WRITERS, STREAMS, KILLS = 240, 6, 5, 4
PATIENT = Retry(attempts=100, longest_pause=0.3)


def execute(store: EventStore, command: int) -> None:
    """Executes a command: after a conflict it decides anew, with the same key."""
    expected = 0
    while True:
        try:
            store.commit(
                f"order-{command % STREAMS}",
                [{"command": command}],
                expected_last_changeset=expected,
                idempotency_key=f"command-{command}",
            )
            return
        except ConflictError as conflict:
            expected = conflict.last_changeset


class Load:
    """Writers, a follower and a consumer, while the server is killed now and then."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.done = 0
        self.followed: list[Changeset] = []
        self.handled: list[Changeset] = []
        self.stop = asyncio.Event()

    async def run(self) -> None:
        async with AsyncEventStore(self.server.url, retry=PATIENT) as store:
            await store.define_consumer("all", partitions=2, lease_seconds=5)
            consuming = store.consume("all", self.handle, wait=1, concurrency=2, stop=self.stop)
            writers = [asyncio.to_thread(self.write, number) for number in range(WRITERS)]
            everything = asyncio.gather(self.follow(store), consuming, self.kill(), *writers)
            await asyncio.wait_for(everything, 120)

    def write(self, number: int) -> None:
        with EventStore(self.server.url, retry=PATIENT) as store:
            for command in range(number, COMMANDS, WRITERS):
                execute(store, command)
                self.done += 1

    async def kill(self) -> None:
        for kill in range(KILLS):
            while self.done < COMMANDS * (kill + 1) // (KILLS + 1):
                await asyncio.sleep(0.005)
            await asyncio.to_thread(self.server.kill)
            await asyncio.to_thread(self.server.start)

    async def follow(self, store: AsyncEventStore) -> None:
        async for changeset in store.follow():
            self.followed.append(changeset)
            if len(self.followed) == COMMANDS:
                return

    def handle(self, changeset: Changeset) -> None:
        self.handled.append(changeset)
        if len({(item.stream_id, item.changeset_id) for item in self.handled}) == COMMANDS:
            self.stop.set()


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    folder: Path = tmp_path_factory.mktemp("store")
    with serve(f"sqlite:{folder / 'ees.db'}") as server:
        load = Load(server)
        asyncio.run(load.run())
        yield load


def test_case_90_no_commit_is_lost_or_doubled(load: Load) -> None:
    with EventStore(load.server.url) as store:
        stored = Counter(
            changeset.events[0]["command"] for changeset in store.read_all_changesets()
        )
    assert stored == Counter(range(COMMANDS))


def test_case_91_each_changeset_is_followed_once(load: Load) -> None:
    assert [changeset.checkpoint for changeset in load.followed] == list(range(COMMANDS))


def test_case_92_each_changeset_is_handled_in_order(load: Load) -> None:
    effects: dict[str, int] = {}
    for changeset in load.handled:
        last = effects.get(changeset.stream_id, 0)
        # A batch that is handed out again begins with something that was handled.
        assert changeset.changeset_id <= last + 1
        effects[changeset.stream_id] = max(last, changeset.changeset_id)
    assert sum(effects.values()) == COMMANDS


def test_case_93_another_store_behind_the_address() -> None:
    with serve("memory:") as server, EventStore(server.url, retry=PATIENT) as store:
        store.commit("order-1", [1])
        feed = store.follow()
        assert next(feed).stream_id == "order-1"
        server.kill()
        server.start()
        with pytest.raises(OtherStoreError) as raised:
            next(feed)
        assert raised.value.same_below is None


def test_case_95_half_of_a_lease_is_over() -> None:
    with serve("memory:") as server, EventStore(server.url) as store:
        for number in range(3):
            store.commit("order-1", [number], expected_last_changeset=number)
        store.define_consumer("slow", lease_seconds=5)
        handled: list[int] = []
        generations = set()
        stop = threading.Event()

        def handle(changeset: Changeset) -> None:
            generations.add(store.consumer("slow").partitions[0].generation)
            handled.append(changeset.changeset_id)
            if len(handled) == 1:
                # Longer than half of the lease.
                stop.wait(2.6)
            if len(handled) == 3:
                stop.set()

        store.consume("slow", handle, stop=stop)
        assert handled == [1, 2, 3]
        assert len(generations) >= 2
        assert store.consumer("slow").lag_changesets == 0


def test_the_documents_of_the_api_are_answered_as_types() -> None:
    """What no case plays: a consumer's report, and answers with details."""
    with serve("memory:") as server, EventStore(server.url) as store:
        committed = store.commit("order-1", [{"type": "paid"}])
        (event,) = store.read_events("order-1", details=True)
        assert (event.changeset_id, event.timestamp) == (1, committed.timestamp)
        report: Any = store.define_consumer("billing", partitions=2)
        assert (report.name, report.lag_changesets, len(report.partitions)) == ("billing", 1, 2)
        assert store.consumers() == ["billing"]
        with httpx.Client() as client, EventStore(server.url, client=client) as borrowed:
            assert borrowed.stream_info("order-1").last_event == 1
