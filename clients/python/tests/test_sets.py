"""Sets, with a real server that is killed."""

import asyncio
from pathlib import Path

import pytest

from ees_client import (
    AsyncEventStore,
    Check,
    EventStore,
    NewChangeset,
    Retry,
    SetConflictError,
)
from ees_client.testing import serve

SETS, WRITERS, STREAMS, KILLS = 160, 4, 4, 4
PATIENT = Retry(attempts=100, longest_pause=0.3)


def pair(number: int) -> list[str]:
    """The streams of a set: neighbours, so that the writers meet."""
    return [f"account-{place % STREAMS}" for place in (number, number + 1)]


async def transfer(store: AsyncEventStore, number: int) -> None:
    """Commits a set of two: after a conflict again, with the same key."""
    ends = dict.fromkeys(pair(number), 0)
    while True:
        commits = [NewChangeset(stream, [{"number": number}], end) for stream, end in ends.items()]
        try:
            stored = await store.commit_all(commits, idempotency_key=f"transfer-{number}")
        except SetConflictError as error:
            ends |= {found.stream_id: found.last_changeset for found in error.conflicts}
        else:
            assert [item.stream_id for item in stored.commits] == pair(number)
            return


def sets(url: str) -> list[int]:
    """The sets of the store. The changesets of each stand side by side, as in the request."""
    with EventStore(url, retry=PATIENT) as store:
        changesets = list(store.read_all_changesets())
    found = [(changeset.stream_id, changeset.events[0]["number"]) for changeset in changesets]
    firsts: list[int] = [number for _, number in found[::2]]
    assert found == [(stream, number) for number in firsts for stream in pair(number)]
    return sorted(firsts)


def test_case_96_no_set_is_torn_lost_or_doubled(tmp_path: Path) -> None:
    done = 0

    async def write(store: AsyncEventStore, writer: int) -> None:
        nonlocal done
        for number in range(writer, SETS, WRITERS):
            await transfer(store, number)
            done += 1

    async def kill() -> None:
        for time in range(KILLS):
            while done < SETS * (time + 1) // (KILLS + 1):
                await asyncio.sleep(0.005)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            # Whatever was being written is there as a whole, or not at all.
            acknowledged = done
            assert len(await asyncio.to_thread(sets, server.url)) >= acknowledged

    async def run() -> None:
        async with AsyncEventStore(server.url, retry=PATIENT) as store:
            writers = [write(store, writer) for writer in range(WRITERS)]
            await asyncio.wait_for(asyncio.gather(kill(), *writers), 120)

    with serve(f"sqlite:{tmp_path / 'ees.db'}") as server:
        asyncio.run(run())
        assert sets(server.url) == list(range(SETS))


def test_a_check_and_a_stream_that_ends_too_early() -> None:
    with serve("memory:") as server, EventStore(server.url) as store:
        store.commit("limits", [{"orders": 100}])
        commits = [NewChangeset("order-1", ["accepted"], metadata={"by": "ann"})]
        for expected, status in [(0, 409), (2, 400)]:
            with pytest.raises(SetConflictError) as raised:
                store.commit_all(commits, checks=[Check("limits", expected)])
            (conflict,) = raised.value.conflicts
            assert (raised.value.status, conflict.stream_id) == (status, "limits")
            assert (conflict.last_changeset, conflict.last_event) == (1, 1)
        stored = store.commit_all(commits, checks=[Check("limits", expected_last_event=1)])
        assert (stored.replayed, stored.commits[0].changeset_id) == (False, 1)
