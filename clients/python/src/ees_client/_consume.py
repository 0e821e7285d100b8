"""Durable consumers: a worker's loop, and the calls of operators."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ._calls import encode, given
from ._request import Stopped, request
from ._steps import Answer, Emit, Handle, Now, Send, Settings, Steps
from .errors import FencedError
from .model import (
    ConsumerBatch,
    ConsumerReport,
    Parked,
    consumer_batch_of,
    consumer_report_of,
    parked_of,
)

# The store keeps so many bytes of it.
LONGEST_ERROR = 256


class Worker:
    """A worker of a consumer."""

    def __init__(self, settings: Settings, name: str, worker: str, limit: int, wait: int) -> None:
        self.settings = settings
        self.name = name
        self.worker = worker
        self.limit = limit
        self.wait = wait

    def run(self) -> Steps[None]:
        """Claims, hands over and acknowledges batches, until the caller asks to stop."""
        try:
            while not (yield Now())[1]:
                batch = yield from self._claim()
                begun = (yield Now())[0]
                while batch is not None:
                    checkpoint, failed = yield from self._hand_over(batch, begun)
                    # The lease of the next batch begins after this moment.
                    begun, stop = yield Now()
                    batch = yield from self._acknowledge(batch, checkpoint, failed, not stop)
        except Stopped:
            return

    def _claim(self) -> Steps[ConsumerBatch | None]:
        body = {"worker": self.worker, "limit": self.limit, "wait": self.wait}
        send = _post(self.name, "claim", body, self.wait)
        return (yield from request(self.settings, send, self._batch, forever=True))

    def _batch(self, answer: Answer, content: Any) -> ConsumerBatch | None:
        if answer.status == 204:
            return None
        item = self.settings.loads(content.decode())
        return None if item == {} else consumer_batch_of(item)

    def _hand_over(
        self, batch: ConsumerBatch, begun: float
    ) -> Steps[tuple[int, list[dict[str, Any]]]]:
        """Hands a batch to the handler: all of it, or what half of its lease is enough for. The rest
        comes in the next batch, with a lease of its own. After a failure the stream waits.
        """
        failed: dict[str, dict[str, Any]] = {}
        for number, changeset in enumerate(batch.changesets):
            now, stop = yield Now()
            late = now - begun > batch.lease_seconds / 2
            if (stop or (late and number > 0)) and changeset.checkpoint is not None:
                return changeset.checkpoint, list(failed.values())
            if changeset.stream_id in failed:
                continue
            error = yield Handle(changeset)
            if error is not None:
                failed[changeset.stream_id] = {
                    "stream_id": changeset.stream_id,
                    "changeset_id": changeset.changeset_id,
                    "error": f"{type(error).__name__}: {error}"[:LONGEST_ERROR],
                }
        return batch.next_checkpoint, list(failed.values())

    def _acknowledge(
        self, batch: ConsumerBatch, checkpoint: int, failed: list[dict[str, Any]], more: bool
    ) -> Steps[ConsumerBatch | None]:
        """Acknowledges, and returns the next batch if there is one at once."""
        body: dict[str, Any] = {
            "partition": batch.partition,
            "generation": batch.generation,
            "checkpoint": checkpoint,
            "failed": failed,
        }
        if more:
            body["next"] = {"limit": self.limit, "wait": 0}
        send = _post(self.name, "ack", body)
        try:
            # A last acknowledgement is tried like any other call: who stops does not wait for ever.
            return (yield from request(self.settings, send, self._batch, forever=more))
        except FencedError:
            # Another worker has taken over. What was handled here is handed out again.
            return None


def _path(name: str, call: str = "") -> str:
    path = "/consumers/" + quote(name, safe="")
    return f"{path}/{call}" if call else path


def _post(name: str, call: str, body: dict[str, Any], wait: int = 0) -> Send:
    return Send("POST", _path(name, call), body=encode(body), wait=wait)


def _report(settings: Settings, send: Send) -> Steps[ConsumerReport]:
    def read(_: Answer, content: Any) -> ConsumerReport:
        return consumer_report_of(settings.loads(content.decode()))

    return (yield from request(settings, send, read))


def _nothing(settings: Settings, send: Send) -> Steps[None]:
    def read(_: Answer, content: Any) -> None:
        settings.loads(content.decode())

    return (yield from request(settings, send, read))


def define(settings: Settings, name: str, definition: dict[str, Any]) -> Steps[ConsumerReport]:
    """Defines a consumer; the same definition may be sent again."""
    chosen = {key: value for key, value in definition.items() if value is not None}
    return _report(settings, Send("PUT", _path(name), body=encode(chosen)))


def report(
    settings: Settings, name: str, passed: int | None, wait: int | None
) -> Steps[ConsumerReport]:
    """How far a consumer has come."""
    return _report(
        settings, Send("GET", _path(name), given(passed=passed, wait=wait), wait=wait or 0)
    )


def names(settings: Settings) -> Steps[list[str]]:
    """The names of all consumers."""

    def read(_: Answer, content: Any) -> list[str]:
        return list(settings.loads(content.decode())["consumers"])

    return (yield from request(settings, Send("GET", "/consumers"), read))


def delete(settings: Settings, name: str) -> Steps[None]:
    """Deletes a consumer."""
    return _nothing(settings, Send("DELETE", _path(name)))


def reset(settings: Settings, name: str, checkpoint: int) -> Steps[None]:
    """Moves a consumer to a checkpoint."""
    return _nothing(settings, _post(name, "reset", {"checkpoint": checkpoint}))


def parked(settings: Settings, name: str) -> Steps[None]:
    """Emits the parked streams, page by page."""

    def read(_: Answer, content: Any) -> tuple[list[Parked], str | None]:
        page = settings.loads(content.decode())
        return [parked_of(item) for item in page["parked"]], page.get("next")

    after: str | None = None
    while True:
        send = Send("GET", _path(name, "parked"), given(limit=100, after=after))
        items, after = yield from request(settings, send, read)
        yield Emit(items)
        if after is None:
            return


def operate(settings: Settings, name: str, call: str, body: dict[str, Any]) -> Steps[Parked]:
    """Retries or skips a parked stream."""

    def read(_: Answer, content: Any) -> Parked:
        return parked_of(settings.loads(content.decode()))

    return (yield from request(settings, _post(name, call, body), read))
