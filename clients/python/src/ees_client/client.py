"""The client that blocks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any

import httpx

from . import _calls
from ._blocking_consumers import Consumers
from ._follow import Follower
from ._http import UNLIMITED, headers_of
from ._steps import Retry, Settings
from .model import (
    Changeset,
    ChangesetBatch,
    Check,
    Committed,
    CommittedSet,
    Direction,
    Event,
    EventBatch,
    Filter,
    NewChangeset,
    Statistics,
    StreamInfo,
)


class EventStore(Consumers):
    """A client of an event store, for any number of threads.

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
        client: httpx.Client | None = None,
    ) -> None:
        self._settings = Settings(
            url.rstrip("/"), store, headers_of(key), timeout, retry or Retry(), loads, on_retry
        )
        self._owned = client is None
        self._client = client or httpx.Client(limits=UNLIMITED)

    def __enter__(self) -> EventStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        if self._owned:
            self._client.close()

    def commit(
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
        return self._run(
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

    def commit_all(
        self,
        commits: Sequence[NewChangeset],
        *,
        checks: Sequence[Check] = (),
        idempotency_key: str | None = None,
        forthcoming: int | None = None,
    ) -> CommittedSet:
        """Appends changesets to several streams, at most once: all of them, or none.

        Each has the expectation of a commit. `checks` names streams that must be as they were seen,
        although nothing is appended to them. The key belongs to the whole set.
        """
        return self._run(
            _calls.commit_all(
                self._settings,
                commits,
                checks=checks,
                idempotency_key=idempotency_key,
                forthcoming=forthcoming,
            )
        )

    def stream_info(self, stream_id: str) -> StreamInfo:
        """The end of a stream."""
        return self._run(_calls.stream_info(self._settings, stream_id))

    def statistics(self) -> Statistics:
        """The counts of the whole store."""
        return self._run(_calls.statistics(self._settings))

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
    ) -> Iterator[Changeset]:
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
    ) -> Iterator[Event]:
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
    ) -> Iterator[Changeset]:
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
    ) -> Iterator[Event]:
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
        stop: threading.Event | None = None,
    ) -> Iterator[ChangesetBatch]:
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

    def follow(
        self,
        checkpoint: int | str = 0,
        *,
        filter: Filter | None = None,
        store: str | None = None,
        details: bool = False,
        long_poll: bool = False,
        stop: threading.Event | None = None,
    ) -> Iterator[Changeset]:
        """The changesets of `follow_batches`, one by one."""
        batches = self.follow_batches(
            checkpoint,
            filter=filter,
            store=store,
            details=details,
            long_poll=long_poll,
            stop=stop,
        )
        for batch in batches:
            yield from batch.changesets

    def follow_event_batches(
        self,
        checkpoint: str = "0.0",
        *,
        filter: Filter | None = None,
        store: str | None = None,
        details: bool = False,
        long_poll: bool = False,
        stop: threading.Event | None = None,
    ) -> Iterator[EventBatch]:
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

    def follow_events(
        self,
        checkpoint: str = "0.0",
        *,
        filter: Filter | None = None,
        store: str | None = None,
        details: bool = False,
        long_poll: bool = False,
        stop: threading.Event | None = None,
    ) -> Iterator[Event]:
        """The events of `follow_event_batches`, one by one."""
        batches = self.follow_event_batches(
            checkpoint,
            filter=filter,
            store=store,
            details=details,
            long_poll=long_poll,
            stop=stop,
        )
        for batch in batches:
            yield from batch.events
