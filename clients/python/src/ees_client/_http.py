"""What both clients tell httpx, and hear from it."""

from __future__ import annotations

import os
import socket

import httpx

from ._steps import Lost

# A silent event stream sends a comment every 15 seconds.
_STALLED = 45.0
# Each event stream keeps a connection; a commit must not wait for one of them.
UNLIMITED = httpx.Limits(max_connections=None, max_keepalive_connections=20)


def headers_of(key: str | None) -> dict[str, str]:
    """The headers of every request."""
    headers = {"accept": "application/json", "content-type": "application/json"}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    return headers


def timeout_of(timeout: float, wait: float, streamed: bool = False) -> httpx.Timeout:
    """How long the server may be silent."""
    silence = max(timeout, _STALLED) if streamed else timeout + wait
    return httpx.Timeout(silence, connect=min(timeout, 10.0))


def failure(error: httpx.RequestError) -> Lost:
    """What became of a request that has no answer."""
    unsent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    reason = f"{type(error).__name__}: {error}".rstrip(": ")
    return Lost(reason, sent=not isinstance(error, (*unsent, httpx.UnsupportedProtocol)))


def worker_name() -> str:
    """A name of this process, for people."""
    return f"{socket.gethostname()}-{os.getpid()}"
