"""Durable consumers, for the client that blocks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from . import _consume
from ._blocking import Handler, Line
from ._consume import Worker
from ._http import worker_name
from ._steps import Settings, Steps
from .model import ConsumerReport, Parked

T = TypeVar("T")


class Consumers:
    """The calls of durable consumers, and how the client makes any call."""

    _client: httpx.Client
    _settings: Settings

    def _line(self, *stops: threading.Event, handler: Handler | None = None) -> Line:
        return Line(self._client, self._settings, stops, handler)

    def _run(self, steps: Steps[T]) -> T:
        return self._line().run(steps)

    def _items(self, steps: Steps[None]) -> Iterator[Any]:
        for items in self._line().emitted(steps):
            yield from items

    def _emitted(self, steps: Steps[None], stop: threading.Event | None) -> Iterator[Any]:
        return self._line(*([stop] if stop else [])).emitted(steps)

    def define_consumer(
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
        return self._run(_consume.define(self._settings, name, definition))

    def consumers(self) -> list[str]:
        """The names of all consumers."""
        return self._run(_consume.names(self._settings))

    def consumer(
        self, name: str, *, passed: int | None = None, wait: int | None = None
    ) -> ConsumerReport:
        """How far a consumer has come. With `passed` it waits until that position is passed."""
        return self._run(_consume.report(self._settings, name, passed, wait))

    def delete_consumer(self, name: str) -> None:
        """Deletes a consumer."""
        self._run(_consume.delete(self._settings, name))

    def reset_consumer(self, name: str, checkpoint: int) -> None:
        """Moves a consumer to a checkpoint."""
        self._run(_consume.reset(self._settings, name, checkpoint))

    def parked(self, name: str) -> Iterator[Parked]:
        """The streams that a consumer could not handle."""
        return self._items(_consume.parked(self._settings, name))

    def retry_parked(self, name: str, stream_id: str) -> Parked:
        """Tries a parked stream now."""
        return self._run(
            _consume.operate(self._settings, name, "retry", {"stream_id": stream_id})
        )

    def skip_parked(self, name: str, stream_id: str, through_changeset: int) -> Parked:
        """Skips the changesets of a parked stream, up to one."""
        body = {"stream_id": stream_id, "through_changeset": through_changeset}
        return self._run(_consume.operate(self._settings, name, "skip", body))

    def consume(
        self,
        name: str,
        handler: Handler,
        *,
        worker: str | None = None,
        limit: int = 100,
        wait: int = 20,
        concurrency: int = 1,
        stop: threading.Event | None = None,
    ) -> None:
        """Hands the changesets of a consumer to the handler, at least once, until `stop` is set.

        An exception of the handler parks the stream of that changeset; the others go on. A claim that
        waits when `stop` is set ends first, within `wait` seconds. With
        `concurrency` so many threads work, each on a partition of its own.
        """
        base = worker or worker_name()
        failed = threading.Event()
        stops = [stop, failed] if stop else [failed]

        def work(number: int) -> None:
            this = Worker(self._settings, name, f"{base}-{number}", limit, wait)
            try:
                self._line(*stops, handler=handler).run(this.run())
            except BaseException:
                failed.set()
                raise

        if concurrency == 1:
            return work(0)
        with ThreadPoolExecutor(concurrency) as pool:
            for done in [pool.submit(work, number) for number in range(concurrency)]:
                done.result()
        return None
