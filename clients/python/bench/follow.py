"""How many events `follow` delivers a second, from a store of SQLite: `python bench/follow.py`."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from typing import Any

from ees_client import AsyncEventStore, EventStore
from ees_client.testing import serve

CHANGESETS, EVENTS, ROUNDS, WRITERS = 20_000, 3, 5, 32
EVENT = {"type": "paid", "cents": 1250, "by": "x" * 60}


async def fill(url: str) -> None:
    """Commits changesets of three events of about 100 bytes to 1,000 streams."""

    async def write(writer: int) -> None:
        for number in range(writer, CHANGESETS, WRITERS):
            # A writer has streams of its own.
            stream, turn = number % 992, number // 992
            events = [{**EVENT, "number": number}] * EVENTS
            await store.commit(f"order-{stream}", events, expected_last_changeset=turn)

    async with AsyncEventStore(url) as store:
        await asyncio.gather(*(write(writer) for writer in range(WRITERS)))


def report(name: str, seconds: list[float]) -> None:
    rates = sorted(CHANGESETS * EVENTS / second for second in seconds)
    middle = statistics.median(rates)
    print(f"{name}: {middle:,.0f} events a second ({rates[0]:,.0f} to {rates[-1]:,.0f})")


def blocking(name: str, store: EventStore, total: int) -> None:
    seconds = []
    for _ in range(ROUNDS):
        begun, count = time.monotonic(), 0
        for _item in getattr(store, name)():
            count += 1
            if count == total:
                break
        seconds.append(time.monotonic() - begun)
    report(f"EventStore.{name}", seconds)


async def awaiting(name: str, url: str, total: int) -> None:
    seconds = []
    async with AsyncEventStore(url) as store:
        for _ in range(ROUNDS):
            begun, count = time.monotonic(), 0
            feed: AsyncIterator[Any] = getattr(store, name)()
            async for _item in feed:
                count += 1
                if count == total:
                    break
            seconds.append(time.monotonic() - begun)
    report(f"AsyncEventStore.{name}", seconds)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, serve(f"sqlite:{folder}/ees.db") as server:
        asyncio.run(fill(server.url))
        totals = {"follow": CHANGESETS, "follow_events": CHANGESETS * EVENTS}
        for name, total in totals.items():
            with EventStore(server.url) as store:
                blocking(name, store, total)
            asyncio.run(awaiting(name, server.url, total))


if __name__ == "__main__":
    main()
