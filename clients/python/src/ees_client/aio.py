"""The client that awaits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, AsyncIterator
from types import TracebackType
from typing import Any, TypeVar

import httpx

from . import _calls, _consume
from ._awaiting import Handler, Line
from ._consume import Worker
from ._follow import Follower
from ._http import headers_of, worker_name
from ._steps import Retry, Settings, Steps
from .model import (
    Changeset,
    ChangesetBatch,
    Committed,
    ConsumerReport,
    Direction,
    Event,
    EventBatch,
    Filter,
    Parked,
    Statistics,
    StreamInfo,
)

T = TypeVar("T")


class AsyncEventStore:
    """A client of an event store, for any number of tasks of one loop.

    `key` is the secret of a server with keys. `store` is the id of the store that is meant; answers of
    another one raise `OtherStoreError`. `timeout` is the longest silence of the server in seconds.
    `loads` reads JSON. `on_retry` is called with the error and the pause before each repeat.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        store: str | None = None,
        timeout: float = 30.0,
        retry: Retry | None = None,
        loads: Callable[[str], Any] = json.loads,
        on_retry: Callable[[Exception, float], None] | None = None,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._settings = Settings(
            url.rstrip("/"), store, headers_of(key), timeout, retry or Retry(), loads, on_retry
        )
        self._owned = client is None
        self._client = client or httpx.AsyncClient()

    async def __aenter__(self) -> AsyncEventStore:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._owned:
            await self._client.aclose()

    async def commit(
        self,
        stream_id: str,
        events: list[Any],
        *,
        expected_last_changeset: int | None = None,
        expected_last_event: int | None = None,
        metadata: Any = None,
        idempotency_key: str | None = None,
        forthcoming: int | None = None,
    ) -> Committed:
        """Appends events as the next changeset of a stream, at most once.

        Without an expectation the stream must be new. Without a key the call makes one; give the id of
        a command as key, so that a repeat of the command by another process is recognised too.
        """
        return await self._run(
            _calls.commit(
                self._settings,
                stream_id,
                events,
                metadata=metadata,
                expected_last_changeset=expected_last_changeset,
                expected_last_event=expected_last_event,
                idempotency_key=idempotency_key,
                forthcoming=forthcoming,
            )
        )

    async def stream_info(self, stream_id: str) -> StreamInfo:
        """The end of a stream."""
        return await self._run(_calls.stream_info(self._settings, stream_id))

    async def statistics(self) -> Statistics:
        """The counts of the whole store."""
        return await self._run(_calls.statistics(self._settings))

    def read_changesets(
        self,
        stream_id: str,
        *,
        from_id: int | None = None,
        to_id: int | None = None,
        direction: Direction = "forward",
        page_size: int | None = None,
        wait: int | None = None,
        details: bool = False,
    ) -> AsyncIterator[Changeset]:
        """The changesets of a stream. `wait`: how many seconds to wait for the first one."""
        return self._items(
            _calls.read_stream(
                self._settings,
                "changesets",
                stream_id,
                from_id=from_id,
                to_id=to_id,
                direction=direction,
                page_size=page_size,
                wait=wait,
                details=details,
            )
        )

    def read_events(
        self,
        stream_id: str,
        *,
        from_id: int | None = None,
        to_id: int | None = None,
        direction: Direction = "forward",
        page_size: int | None = None,
        wait: int | None = None,
        details: bool = False,
    ) -> AsyncIterator[Event]:
        """The events of a stream. `wait`: how many seconds to wait for the first one."""
        return self._items(
            _calls.read_stream(
                self._settings,
                "events",
                stream_id,
                from_id=from_id,
                to_id=to_id,
                direction=direction,
                page_size=page_size,
                wait=wait,
                details=details,
            )
        )

    def read_all_changesets(
        self,
        checkpoint: int | None = None,
        *,
        direction: Direction = "forward",
        filter: Filter | None = None,
        store: str | None = None,
        page_size: int = 1000,
        details: bool = False,
    ) -> AsyncIterator[Changeset]:
        """The changesets of all streams, as many as there are now."""
        return self._items(
            _calls.read_all(
                self._settings,
                "changesets",
                checkpoint=checkpoint,
                direction=direction,
                filter=filter,
                store=store,
                page_size=page_size,
                details=details,
            )
        )

    def read_all_events(
        self,
        checkpoint: str | None = None,
        *,
        direction: Direction = "forward",
        filter: Filter | None = None,
        store: str | None = None,
        page_size: int = 1000,
        details: bool = False,
    ) -> AsyncIterator[Event]:
        """The events of all streams, as many as there are now."""
        return self._items(
            _calls.read_all(
                self._settings,
                "events",
                checkpoint=checkpoint,
                direction=direction,
                filter=filter,
                store=store,
                page_size=page_size,
                details=details,
            )
        )

    def follow_batches(
        self,
        checkpoint: int | str = 0,
        *,
        filter: Filter | None = None,
        store: str | None = None,
        details: bool = False,
        long_poll: bool = False,
        stop: asyncio.Event | None = None,
    ) -> AsyncIterator[ChangesetBatch]:
        """The changesets of all streams, for ever, as they arrive: after any break it goes on.

        `checkpoint` is the first one that is wanted, or `"head"`. `store` is the store's id that was
        saved with it. With a filter a batch may be empty, with a larger `next_checkpoint`.
        """
        follower = Follower(
            self._settings,
            "changesets",
            checkpoint,
            filter=filter,
            store=store,
            details=details,
            long_poll=long_poll,
        )
        return self._emitted(follower.run(), stop)

    async def follow(self, checkpoint: int | str = 0, **options: Any) -> AsyncIterator[Changeset]:
        """The changesets of `follow_batches`, one by one."""
        async for batch in self.follow_batches(checkpoint, **options):
            for changeset in batch.changesets:
                yield changeset

    def follow_event_batches(
        self,
        checkpoint: str = "0.0",
        *,
        filter: Filter | None = None,
        store: str | None = None,
        details: bool = False,
        long_poll: bool = False,
        stop: asyncio.Event | None = None,
    ) -> AsyncIterator[EventBatch]:
        """The events of all streams, for ever, as `follow_batches` does."""
        follower = Follower(
            self._settings,
            "events",
            checkpoint,
            filter=filter,
            store=store,
            details=details,
            long_poll=long_poll,
        )
        return self._emitted(follower.run(), stop)

    async def follow_events(self, checkpoint: str = "0.0", **options: Any) -> AsyncIterator[Event]:
        """The events of `follow_event_batches`, one by one."""
        async for batch in self.follow_event_batches(checkpoint, **options):
            for event in batch.events:
                yield event

    async def define_consumer(
        self,
        name: str,
        *,
        start: int | str | None = None,
        stream_prefixes: list[str] | None = None,
        event_types: list[str] | None = None,
        partitions: int | None = None,
        lease_seconds: int | None = None,
        retry_seconds: list[int] | None = None,
        on_failure: str | None = None,
    ) -> ConsumerReport:
        """Defines a consumer. The same definition may be sent again."""
        definition = {
            "from": start,
            "stream_prefixes": stream_prefixes,
            "event_types": event_types,
            "partitions": partitions,
            "lease_seconds": lease_seconds,
            "retry_seconds": retry_seconds,
            "on_failure": on_failure,
        }
        return await self._run(_consume.define(self._settings, name, definition))

    async def consumers(self) -> list[str]:
        """The names of all consumers."""
        return await self._run(_consume.names(self._settings))

    async def consumer(
        self, name: str, *, passed: int | None = None, wait: int | None = None
    ) -> ConsumerReport:
        """How far a consumer has come. With `passed` it waits until that position is passed."""
        return await self._run(_consume.report(self._settings, name, passed, wait))

    async def delete_consumer(self, name: str) -> None:
        """Deletes a consumer."""
        await self._run(_consume.delete(self._settings, name))

    async def reset_consumer(self, name: str, checkpoint: int) -> None:
        """Moves a consumer to a checkpoint."""
        await self._run(_consume.reset(self._settings, name, checkpoint))

    def parked(self, name: str) -> AsyncIterator[Parked]:
        """The streams that a consumer could not handle."""
        return self._items(_consume.parked(self._settings, name))

    async def retry_parked(self, name: str, stream_id: str) -> Parked:
        """Tries a parked stream now."""
        return await self._run(
            _consume.operate(self._settings, name, "retry", {"stream_id": stream_id})
        )

    async def skip_parked(self, name: str, stream_id: str, through_changeset: int) -> Parked:
        """Skips the changesets of a parked stream, up to one."""
        body = {"stream_id": stream_id, "through_changeset": through_changeset}
        return await self._run(_consume.operate(self._settings, name, "skip", body))

    async def consume(
        self,
        name: str,
        handler: Handler,
        *,
        worker: str | None = None,
        limit: int = 100,
        wait: int = 20,
        concurrency: int = 1,
        stop: asyncio.Event | None = None,
    ) -> None:
        """Hands the changesets of a consumer to the handler, at least once, until `stop` is set.

        An exception of the handler parks the stream of that changeset; the others go on. A claim that
        waits when `stop` is set ends first, within `wait` seconds. With
        `concurrency` so many tasks work, each on a partition of its own.
        """
        base = worker or worker_name()

        async def work(number: int) -> None:
            this = Worker(self._settings, name, f"{base}-{number}", limit, wait)
            await self._line(*([stop] if stop else []), handler=handler).run(this.run())

        workers = [asyncio.create_task(work(number)) for number in range(concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    def _line(self, *stops: asyncio.Event, handler: Handler | None = None) -> Line:
        return Line(self._client, self._settings, stops, handler)

    async def _run(self, steps: Steps[T]) -> T:
        return await self._line().run(steps)

    async def _items(self, steps: Steps[None]) -> AsyncIterator[Any]:
        async for items in self._line().emitted(steps):
            for item in items:
                yield item

    def _emitted(self, steps: Steps[None], stop: asyncio.Event | None) -> AsyncIterator[Any]:
        return self._line(*([stop] if stop else [])).emitted(steps)
