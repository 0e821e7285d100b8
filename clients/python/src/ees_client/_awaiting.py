"""Carries out the steps of a call, and awaits what takes time."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import httpx

from ._http import failure, timeout_of
from ._steps import Answer, Close, Emit, Handle, Lost, Now, Read, Send, Settings, Sleep, Steps
from .model import Changeset

T = TypeVar("T")
Handler = Callable[[Changeset], Awaitable[None] | None]


class Line:
    """The connection of one call, which ends when one of `stops` is set."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        settings: Settings,
        stops: tuple[asyncio.Event, ...] = (),
        handler: Handler | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._stops = stops
        self._handler = handler
        self._open: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def run(self, steps: Steps[T]) -> T:
        """Carries out all steps, and returns the result."""
        try:
            step: Any = next(steps)
            while True:
                step = steps.send(await self._carry_out(step))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        finally:
            steps.close()
            await self._close()

    async def emitted(self, steps: Steps[None]) -> AsyncIterator[Any]:
        """Carries out the steps while the caller takes what they emit."""
        try:
            step: Any = next(steps)
            while True:
                if type(step) is Emit:
                    yield step.value
                    step = steps.send(None)
                else:
                    step = steps.send(await self._carry_out(step))
        except StopIteration:
            return
        finally:
            steps.close()
            await self._close()

    async def _carry_out(self, step: Any) -> Any:
        """Does what a step says, and returns what came of it."""
        match step:
            case Send():
                return await self._send(step)
            case Read():
                return await self._read()
            case Now():
                return time.monotonic(), self._is_stopped()
            case Sleep():
                await self._sleep(step.seconds)
                return self._is_stopped()
            case Handle():
                return await self._handle(step.changeset)
            case Close():
                return await self._close()

    async def _close(self) -> None:
        """Closes the event stream, if one is open."""
        if self._open is not None:
            await self._open.aclose()
            self._open = None

    async def _sleep(self, seconds: float) -> None:
        if not self._stops:
            return await asyncio.sleep(seconds)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stops[0].wait(), seconds)

    def _is_stopped(self) -> bool:
        return any(stop.is_set() for stop in self._stops)

    async def _handle(self, changeset: Changeset) -> Exception | None:
        assert self._handler is not None
        try:
            done = self._handler(changeset)
            if inspect.isawaitable(done):
                await done
        except Exception as error:
            return error
        return None

    async def _send(self, send: Send) -> Answer | Lost:
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
            response = await self._client.send(request, stream=True)
            head = Answer(response.status_code, response.headers, b"")
            if send.streamed and head.status == 200 and head.has_type("text/event-stream"):
                self._open, self._chunks = response, response.aiter_raw()
                return head
            try:
                head.content = await response.aread()
            finally:
                await response.aclose()
            return head
        except httpx.RequestError as error:
            return failure(error)

    async def _read(self) -> bytes | Lost:
        try:
            assert self._chunks is not None
            return await anext(self._chunks, b"")
        except httpx.RequestError as error:
            return failure(error)
