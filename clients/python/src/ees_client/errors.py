"""The errors of a call. Each says what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from .model import Changeset, Conflict, changeset_of, conflict_of

Outcome = Literal["none", "unknown"]


class EesError(Exception):
    """Every error that this library raises."""


class TransportError(EesError):
    """No complete answer came, in spite of all tries: call again later.

    For a commit, `outcome` says whether anything may have been written. Repeat it with
    `idempotency_key` and the same content; it is then stored at most once.
    """

    def __init__(
        self, message: str, outcome: Outcome = "unknown", idempotency_key: str | None = None
    ) -> None:
        super().__init__(message)
        self.outcome: Outcome = outcome
        self.idempotency_key = idempotency_key


class UnexpectedAnswerError(EesError):
    """The answer is not one of the store's, such as a proxy's page: check the address.

    For a commit it is not known whether anything was written.
    """

    def __init__(self, message: str, status: int, beginning: str) -> None:
        super().__init__(message)
        self.status = status
        self.beginning = beginning


class ApiError(EesError):
    """An error that the store answered: correct the request.

    `code` is one of those in docs/rest-api.md. The classes below this one have codes of their own.
    """

    def __init__(self, status: int, body: Mapping[str, Any], request_id: str | None = None) -> None:
        self.status = status
        self.code = str(body.get("error"))
        self.body = body
        self.request_id = request_id
        super().__init__(f"{self.code}: {body.get('message')}")


class ConflictError(ApiError):
    """Another commit was faster: apply `forthcoming` to the state, decide anew, commit again."""

    def __init__(self, status: int, body: Mapping[str, Any], request_id: str | None = None) -> None:
        super().__init__(status, body, request_id)
        self.stream_id: str = str(body.get("stream_id"))
        self.last_changeset: int = body.get("last_changeset", 0)
        self.last_event: int = body.get("last_event", 0)
        missed = body.get("forthcoming_changesets", [])
        self.forthcoming: list[Changeset] = [changeset_of(item, self.stream_id) for item in missed]
        """The changesets that were missed, or the first of them."""
        self.next: int | None = body.get("next")
        """If more were missed: the `from_id` with which to read on."""


class SetConflictError(ApiError):
    """Nothing of a set was stored: streams are not as its commits and checks expect them.

    Apply what each of `conflicts` has missed, decide anew, commit the set again. With `status` 400 a
    stream ends before what was expected of it: read it anew.
    """

    def __init__(self, status: int, body: Mapping[str, Any], request_id: str | None = None) -> None:
        super().__init__(status, body, request_id)
        self.conflicts: list[Conflict] = [conflict_of(item) for item in body["conflicts"]]
        """Every commit and check that does not hold, commits first."""


class KeyReusedError(ApiError):
    """The idempotency key stands in the stream with another content: the command is done.

    `changeset` is what it stored, unless the key of the client may not read.
    """

    def __init__(self, status: int, body: Mapping[str, Any], request_id: str | None = None) -> None:
        super().__init__(status, body, request_id)
        self.stream_id: str = str(body.get("stream_id"))
        self.changeset_id: int = body.get("changeset_id", 0)
        item = body.get("changeset")
        self.changeset: Changeset | None = item and changeset_of(item, self.stream_id)


class StreamNotFoundError(ApiError):
    """The stream has no changeset yet: commit with `expected_last_changeset=0`."""


class ConsumerNotFoundError(ApiError):
    """There is no such consumer: define it."""


class FencedError(ApiError):
    """The batch is not out any more, and nothing was changed: claim again."""


class OtherStoreError(ApiError):
    """The address leads to another store than the one to which the checkpoint belongs.

    With `same_below` the store was restored: go back to that checkpoint, and undo what was built from
    later changesets. Without it the store is a strange one: check the address.
    """

    def __init__(self, status: int, body: Mapping[str, Any], request_id: str | None = None) -> None:
        super().__init__(status, body, request_id)
        self.store: str = str(body.get("store"))
        self.asked: str = str(body.get("asked"))
        self.same_below: int | None = body.get("same_below")
        self.head: int | None = body.get("head")


class CheckpointBeyondHeadError(ApiError):
    """No changeset can have this checkpoint yet: the store was restored from an older copy."""

    def __init__(self, status: int, body: Mapping[str, Any], request_id: str | None = None) -> None:
        super().__init__(status, body, request_id)
        self.head: int | None = body.get("head")


class UnauthorizedError(ApiError):
    """The server has keys, and the client has none that is valid: give `key`."""


class ForbiddenError(ApiError):
    """The key lacks a right or a stream prefix, which the message names."""


class UnavailableError(ApiError):
    """The store cannot answer now, in spite of all tries: call again after `retry_after` seconds.

    For a commit, `outcome` says whether anything may have been written. Repeat it with
    `idempotency_key` and the same content; it is then stored at most once.
    """

    def __init__(self, status: int, body: Mapping[str, Any], request_id: str | None = None) -> None:
        super().__init__(status, body, request_id)
        self.outcome: Outcome = "none" if body.get("outcome") == "none" else "unknown"
        self.retry_after: float | None = None
        self.idempotency_key: str | None = body.get("idempotency_key")


_BY_CODE: dict[str, type[ApiError]] = {
    "OPTIMISTIC_CONCURRENCY_EXCEPTION": ConflictError,
    "IDEMPOTENCY_KEY_REUSED": KeyReusedError,
    "STREAM_NOT_FOUND": StreamNotFoundError,
    "CONSUMER_NOT_FOUND": ConsumerNotFoundError,
    "FENCED": FencedError,
    "OTHER_STORE": OtherStoreError,
    "CHECKPOINT_BEYOND_HEAD": CheckpointBeyondHeadError,
    "UNAUTHORIZED": UnauthorizedError,
    "FORBIDDEN": ForbiddenError,
}
# After these statuses the same request may succeed later.
REPEATABLE = frozenset({408, 429, 502, 503, 504})


def api_error(status: int, body: Mapping[str, Any], request_id: str | None) -> ApiError:
    """The error of an answer with a JSON object."""
    fallback = UnavailableError if status in REPEATABLE else ApiError
    kind = _BY_CODE.get(str(body.get("error")), fallback)
    if isinstance(body.get("conflicts"), list):
        kind = SetConflictError
    return kind(status, body, request_id)
