"""The global order without an end: by an event stream, or by long polls."""

from __future__ import annotations

from operator import lt
from typing import Any

from ._calls import given, selecting
from ._request import Stopped, check_store, error_of, request, unexpected
from ._sse import Frames
from ._steps import Answer, Close, Emit, Lost, Now, Read, Send, Settings, Steps
from .errors import TransportError, UnavailableError
from .model import ChangesetBatch, EventBatch, Filter, changeset_of, event_of

# The server waits so long for news, at most.
LONGEST_WAIT = 20


class Follower:
    """Where a reader of the global order is, and how it goes on."""

    def __init__(
        self,
        settings: Settings,
        kind: str,
        checkpoint: int | str,
        *,
        filter: Filter | None = None,
        store: str | None = None,
        details: bool = False,
        long_poll: bool = False,
    ) -> None:
        self.settings = settings
        self.kind = kind
        self.next: int | str = checkpoint
        self.last_id: str | None = None
        self.store = store or settings.store
        self.query = selecting(filter) + given(details=details)
        self.long_poll = long_poll
        self.failures = 0

    def run(self) -> Steps[None]:
        """Emits batches until the caller asks to stop."""
        try:
            if self.next == "head":
                # The head as a number: a resumed reader must not pass by what came meanwhile.
                yield from self._page(wait=0)
            while True:
                if self.long_poll:
                    yield from self._page(wait=LONGEST_WAIT)
                    if (yield Now())[1]:
                        return
                else:
                    yield from self._stream()
        except Stopped:
            return

    def _page(self, wait: int) -> Steps[None]:
        """One page, by a long poll."""
        at = self.next

        def read(answer: Answer, content: Any) -> tuple[list[Any], Any, str | None]:
            page = self.settings.loads(content.decode())
            return page[self.kind], page["next_checkpoint"], answer.headers.get("ees-store")

        query = given(checkpoint=at, store=self.store, limit=1000, wait=wait or None) + self.query
        send = Send("GET", f"/{self.kind}", query, wait=wait)
        items, self.next, answered = yield from request(
            self.settings, send, read, store=self.store, forever=True
        )
        self.store = self.store or answered
        self.last_id = None
        if items or self.next != at:
            yield Emit(self._batch(items))

    def _stream(self) -> Steps[None]:
        """One event stream, to its end, and the pause after it."""
        headers = {"accept": "text/event-stream", "accept-encoding": "identity"}
        query = given(checkpoint=self.next, store=self.store) + self.query
        if self.last_id is not None:
            headers["last-event-id"] = self.last_id
        answer = yield Send("GET", f"/{self.kind}", query, headers, streamed=True)
        pause: float | None = None
        problem: Exception = TransportError("the event stream ended")
        begun = (yield Now())[0]
        if isinstance(answer, Lost):
            problem = TransportError(answer.reason)
        else:
            if answer.status == 200 and answer.has_type("text/event-stream"):
                check_store(answer, self.store)
                self.store = self.store or answer.headers.get("ees-store")
                yield from self._frames()
                yield Close()
            elif answer.status == 406 or self._is_page(answer):
                self.long_poll = True
                return
            elif answer.status == 200:
                raise unexpected(answer)
            else:
                error = error_of(answer, self.store)
                if not isinstance(error, UnavailableError):
                    raise error
                problem, pause = error, error.retry_after
        # A stream that lasted is no failure, though it brought nothing.
        lasted = (yield Now())[0] - begun > self.settings.retry.longest_pause
        self.failures = 1 if lasted else self.failures + 1
        if (yield self.settings.before_retry(problem, self.failures, pause)):
            raise Stopped

    def _is_page(self, answer: Answer) -> bool:
        """Whether something between took `Accept` away, so that a page came."""
        return answer.status == 200 and answer.has_type("application/json")

    def _frames(self) -> Steps[None]:
        frames = Frames(last_id=self.last_id)
        while True:
            chunk = yield Read()
            if isinstance(chunk, Lost) or not chunk:
                return
            events = frames.feed(chunk)
            if events:
                batch = self._received(events, frames.last_id)
                if batch is not None:
                    self.failures = 0
                    yield Emit(batch)
            if (yield Now())[1]:
                raise Stopped

    def _received(
        self, events: list[tuple[str, str]], last_id: str | None
    ) -> ChangesetBatch | EventBatch | None:
        """The batch of some events; nothing if all of them were there before."""
        name = self.kind[:-1]
        before = _order(self.next)
        texts = [data for event, data in events if event == name]
        items = self.settings.loads(f"[{','.join(texts)}]")
        places = _orders([item["checkpoint"] for item in items])
        if places and not (places[0] >= before and all(map(lt, places, places[1:]))):
            items, places = _unseen(items, places, before)
        reached = before
        if places:
            changeset, event = places[-1]
            reached = (changeset, event + 1) if self.kind == "events" else (changeset + 1, 0)
        for event_name, data in events if len(texts) < len(events) else ():
            if event_name == "checkpoint":
                passed = self.settings.loads(data)["next_checkpoint"]
                reached = max(reached, _order(passed))
        if reached == before:
            return None
        self.last_id = last_id
        self.next = "{}.{}".format(*reached) if self.kind == "events" else reached[0]
        return self._batch(items)

    def _batch(self, items: list[Any]) -> ChangesetBatch | EventBatch:
        if self.kind == "events":
            return EventBatch([event_of(item) for item in items], str(self.next), self.store)
        return ChangesetBatch([changeset_of(item) for item in items], int(self.next), self.store)


def _order(checkpoint: int | str) -> tuple[int, int]:
    """A checkpoint as it is compared: `c`, or `c.i`."""
    if isinstance(checkpoint, int):
        return checkpoint, 0
    changeset, _, event = checkpoint.partition(".")
    return int(changeset), int(event or 0)


def _orders(checkpoints: list[int] | list[str]) -> list[tuple[int, int]]:
    """All of them at once, which is much faster than one by one."""
    if checkpoints and isinstance(checkpoints[0], str):
        numbers = list(map(int, ".".join(map(str, checkpoints)).split(".")))
        return list(zip(numbers[::2], numbers[1::2], strict=True))
    return [(int(checkpoint), 0) for checkpoint in checkpoints]


def _unseen(
    items: list[Any], places: list[tuple[int, int]], before: tuple[int, int]
) -> tuple[list[Any], list[tuple[int, int]]]:
    """The items that were not there before, each once."""
    fresh: list[Any] = []
    kept: list[tuple[int, int]] = []
    for item, place in zip(items, places, strict=True):
        if place >= before and (not kept or place > kept[-1]):
            fresh.append(item)
            kept.append(place)
    return fresh, kept
