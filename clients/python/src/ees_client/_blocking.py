"""Carries out the steps of a call, and blocks meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx

from ._http import failure, timeout_of
from ._steps import Answer, Close, Emit, Handle, Lost, Now, Read, Send, Settings, Sleep, Steps
from .model import Changeset

T = TypeVar("T")
Handler = Callable[[Changeset], None]


class Line:
    """The connection of one call, which ends when one of `stops` is set."""

    def __init__(
        self,
        client: httpx.Client,
        settings: Settings,
        stops: tuple[threading.Event, ...] = (),
        handler: Handler | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._stops = stops
        self._handler = handler
        self._open: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())

    def run(self, steps: Steps[T]) -> T:
        """Carries out all steps, and returns the result."""
        try:
            step: Any = next(steps)
            while True:
                step = steps.send(self._carry_out(step))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            steps.close()
            self._close()

    def emitted(self, steps: Steps[None]) -> Iterator[Any]:
        """Carries out the steps while the caller takes what they emit."""
        try:
            step: Any = next(steps)
            while True:
                if type(step) is Emit:
                    yield step.value
                    step = steps.send(None)
                else:
                    step = steps.send(self._carry_out(step))
        except StopIteration:
            return
        finally:
            steps.close()
            self._close()

    def _carry_out(self, step: Any) -> Any:
        """Does what a step says, and returns what came of it."""
        match step:
            case Send():
                return self._send(step)
            case Read():
                return self._read()
            case Now():
                return time.monotonic(), self._is_stopped()
            case Sleep():
                if self._stops:
                    self._stops[0].wait(step.seconds)
                else:
                    time.sleep(step.seconds)
                return self._is_stopped()
            case Handle():
                return self._handle(step.changeset)
            case Close():
                return self._close()

    def _close(self) -> None:
        """Closes the event stream, if one is open."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _is_stopped(self) -> bool:
        return any(stop.is_set() for stop in self._stops)

    def _handle(self, changeset: Changeset) -> Exception | None:
        assert self._handler is not None
        try:
            self._handler(changeset)
        except Exception as error:
            return error
        return None

    def _send(self, send: Send) -> Answer | Lost:
        settings = self._settings
        request = self._client.build_request(
            send.method,
            settings.url + send.path,
            params=tuple(send.query),
            headers={**settings.headers, **send.headers},
            content=send.body,
            timeout=timeout_of(settings.timeout, send.wait, send.streamed),
        )
        try:
            response = self._client.send(request, stream=True)
            head = Answer(response.status_code, response.headers, b"")
            if send.streamed and head.status == 200 and head.has_type("text/event-stream"):
                self._open, self._chunks = response, response.iter_raw()
                return head
            try:
                head.content = response.read()
            finally:
                response.close()
            return head
        except httpx.RequestError as error:
            return failure(error)

    def _read(self) -> bytes | Lost:
        try:
            return next(self._chunks, b"")
        except httpx.RequestError as error:
            return failure(error)
