"""What a call does with the outside: the same for the client that blocks and the one that awaits.

A call is a generator of steps. The client carries each step out and sends back what came of it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .model import Changeset

T = TypeVar("T")


@dataclass(slots=True)
class Send:
    """A request. What comes of it is an `Answer`, or `Lost`."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    wait: float = 0.0
    """For how many seconds the server may wait before it answers."""
    streamed: bool = False
    """Whether an event stream that comes is left open, for `Read`."""


@dataclass(slots=True)
class Read:
    """The next bytes of the event stream: none at its end, or `Lost`."""


@dataclass(slots=True)
class Close:
    """Closes the event stream."""


@dataclass(slots=True)
class Sleep:
    """A pause. What comes of it is whether the caller has asked to stop."""

    seconds: float


@dataclass(slots=True)
class Handle:
    """Hands a changeset to the handler of a consumer; an exception, or nothing, comes of it."""

    changeset: Changeset


@dataclass(slots=True)
class Now:
    """The seconds of a clock that never jumps, and whether the caller has asked to stop."""


@dataclass(slots=True)
class Emit:
    """Hands something to the caller's loop."""

    value: Any


@dataclass(slots=True)
class Answer:
    """A complete answer; or the head of an event stream that is open."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def has_type(self, media_type: str) -> bool:
        """Whether the body has this media type."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower() == media_type


@dataclass(slots=True)
class Lost:
    """No answer, or half of one."""

    reason: str
    sent: bool = True
    """Whether the server may have received the request."""


Step = Send | Read | Close | Sleep | Handle | Now | Emit
Steps = Generator[Step, Any, T]


@dataclass(slots=True, frozen=True)
class Retry:
    """How a call is repeated. `follow` and `consume` try again without an end."""

    attempts: int = 8
    """How many times a call is tried."""
    first_pause: float = 0.1
    """The longest pause after the first failure, in seconds. It doubles with each failure."""
    longest_pause: float = 5.0
    """The longest pause that is chosen without a `Retry-After`."""
    longest_retry_after: float = 30.0
    """A longer `Retry-After` ends the tries."""

    def pause(self, failures: int, retry_after: float | None) -> float:
        """The pause after so many failures in a row: random, so that clients do not come together."""
        longest = min(self.longest_pause, self.first_pause * 2.0 ** min(failures - 1, 16))
        chosen = longest * random.uniform(0.5, 1.0)
        return max(chosen, min(retry_after or 0.0, self.longest_retry_after))


@dataclass(slots=True, frozen=True)
class Settings:
    """What all calls of a client share."""

    url: str
    store: str | None
    headers: Mapping[str, str]
    timeout: float
    retry: Retry
    loads: Callable[[str], Any] = json.loads
    on_retry: Callable[[Exception, float], None] | None = None

    def before_retry(self, error: Exception, failures: int, retry_after: float | None) -> Sleep:
        """The pause before the next try, which the caller's hook is told."""
        pause = self.retry.pause(failures, retry_after)
        if self.on_retry is not None:
            self.on_retry(error, pause)
        return Sleep(pause)
