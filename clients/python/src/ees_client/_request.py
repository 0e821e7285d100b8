"""One request, repeated while that can help."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from ._steps import Answer, Lost, Send, Settings, Steps
from .errors import (
    REPEATABLE,
    ApiError,
    OtherStoreError,
    TransportError,
    UnavailableError,
    UnexpectedAnswerError,
    api_error,
)

T = TypeVar("T")


class Stopped(Exception):
    """The caller has asked to stop while a call was to be repeated."""


def request(
    settings: Settings,
    send: Send,
    read: Callable[[Answer, Any], T],
    *,
    key: str | None = None,
    store: str | None = None,
    forever: bool = False,
) -> Steps[T]:
    """Sends a request until it has an answer that counts, and reads that with `read`.

    With `key` it is a commit, whose errors tell the outcome. `forever` is for loops without an end.
    """
    nothing_written = True
    failures = 0
    while True:
        answer = yield send
        try:
            return _result(answer, read, store or settings.store)
        except (TransportError, UnavailableError) as error:
            failures += 1
            if error.outcome == "unknown":
                nothing_written = False
            error.outcome = "none" if nothing_written else "unknown"
            error.idempotency_key = key
            asked = error.retry_after if isinstance(error, UnavailableError) else None
            if not forever and (
                failures >= settings.retry.attempts
                or (asked or 0) > settings.retry.longest_retry_after
            ):
                raise with_advice(error, failures) from None
            sleep = settings.before_retry(error, failures, asked)
        if (yield sleep) and forever:
            raise Stopped


def with_advice(
    error: TransportError | UnavailableError, tries: int
) -> TransportError | UnavailableError:
    """The same error; its message tells the tries, and what to do about a commit."""
    message = f"{error} (tried {tries} times)"
    if error.idempotency_key is not None:
        written = "nothing was written" if error.outcome == "none" else "it may be written"
        message += f"; {written}: repeat it with idempotency_key={error.idempotency_key!r}"
    error.args = (message,)
    return error


def _result(
    answer: Answer | Lost, read: Callable[[Answer, Any], T], store: str | None
) -> T:
    if isinstance(answer, Lost):
        outcome = "unknown" if answer.sent else "none"
        raise TransportError(f"no complete answer: {answer.reason}", outcome)  # type: ignore[arg-type]
    if answer.status in (200, 201, 204):
        check_store(answer, store)
        try:
            return read(answer, answer.content)
        except UnicodeDecodeError:
            raise TransportError("no complete answer: its text is damaged") from None
        except (KeyError, TypeError, AttributeError):
            raise unexpected(answer) from None
        except ValueError:
            # JSON that does not end is an answer that was cut off.
            if answer.has_type("application/json"):
                raise TransportError("no complete answer: its JSON is cut off") from None
            raise unexpected(answer) from None
    raise error_of(answer, store)


def error_of(answer: Answer, store: str | None) -> ApiError | UnexpectedAnswerError:
    """The error that an answer tells."""
    request_id = answer.headers.get("x-request-id")
    try:
        body = json.loads(answer.content)
        known = isinstance(body, dict) and isinstance(body.get("error"), str)
    except ValueError:
        known = False
    if not known:
        if answer.status not in REPEATABLE:
            return unexpected(answer)
        message = f"answered by something in front of the store: {_beginning(answer)!r}"
        # Who throttles has not passed the request on.
        outcome = "none" if answer.status == 429 else "unknown"
        body = {"error": f"HTTP_{answer.status}", "message": message, "outcome": outcome}
    error = api_error(answer.status, body, request_id)
    if isinstance(error, OtherStoreError):
        return error
    check_store(answer, store)
    if isinstance(error, UnavailableError):
        error.retry_after = _seconds(answer.headers.get("retry-after"))
    return error


def check_store(answer: Answer, store: str | None) -> None:
    """Raises if another store has answered. A store that is not open yet does not tell its id."""
    answered = answer.headers.get("ees-store")
    if store is not None and answered is not None and answered != store:
        message = f"store {answered} answered, but the checkpoint or the client belongs to {store}"
        body = {"error": "OTHER_STORE", "message": message, "store": answered, "asked": store}
        raise OtherStoreError(409, body, answer.headers.get("x-request-id"))


def unexpected(answer: Answer) -> UnexpectedAnswerError:
    """The error for an answer that no event store gives."""
    beginning = _beginning(answer)
    hint = "is this the address of an event store?"
    if location := answer.headers.get("location"):
        hint = f"it redirects to {location}: use that address"
    message = f"status {answer.status} with an answer that is not the store's: {beginning!r}; {hint}"
    return UnexpectedAnswerError(message, answer.status, beginning)


def _beginning(answer: Answer) -> str:
    return answer.content[:200].decode("utf-8", "replace")


def _seconds(retry_after: str | None) -> float | None:
    """A `Retry-After` in seconds; a date counts as none."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() else None
