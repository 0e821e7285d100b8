"""Commits, reads of streams and of the global order, and statistics."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from ._request import request
from ._steps import Answer, Emit, Send, Settings, Steps
from .model import (
    Changeset,
    Check,
    Committed,
    CommittedSet,
    Direction,
    Event,
    Filter,
    NewChangeset,
    Statistics,
    StreamInfo,
    changeset_of,
    committed_of,
    event_of,
)

Query = list[tuple[str, str]]


def path_of(stream_id: str) -> str:
    """The path of a stream."""
    if stream_id in (".", ".."):
        raise ValueError(f"no URL can name the stream {stream_id!r}")
    return "/streams/" + quote(stream_id, safe="")


def encode(value: Any) -> bytes:
    """JSON in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def given(**parameters: Any) -> Query:
    """The query of the parameters that are given."""
    query: Query = []
    for name, value in parameters.items():
        if value is None or value is False:
            continue
        query.append((name, "true" if value is True else str(value)))
    return query


def selecting(chosen: Filter | None) -> Query:
    """The query of a filter."""
    if chosen is None:
        return []
    prefixes = [("stream_prefix", prefix) for prefix in chosen.stream_prefixes]
    return prefixes + [("event_type", event_type) for event_type in chosen.event_types]


def commit(
    settings: Settings,
    stream_id: str,
    events: list[Any],
    *,
    metadata: Any = None,
    expected_last_changeset: int | None = None,
    expected_last_event: int | None = None,
    idempotency_key: str | None = None,
    forthcoming: int | None = None,
) -> Steps[Committed]:
    """Commits events. The body is written once, so that each try sends the same bytes."""
    key = key_of(idempotency_key)
    body: dict[str, Any] = {"events": events}
    if metadata is not None:
        body["metadata"] = metadata
    query = given(
        expected_last_changeset=expected_last_changeset,
        expected_last_event=expected_last_event,
        forthcoming=forthcoming,
        details=True,
    )
    headers = {"idempotency-key": key}
    send = Send("POST", path_of(stream_id), query, headers, encode(body))

    def read(answer: Answer, content: Any) -> Committed:
        return committed_of(settings.loads(content.decode()), key, is_replayed(answer))

    return (yield from request(settings, send, read, key=key))


def commit_all(
    settings: Settings,
    commits: Sequence[NewChangeset],
    *,
    checks: Sequence[Check] = (),
    idempotency_key: str | None = None,
    forthcoming: int | None = None,
) -> Steps[CommittedSet]:
    """Commits to several streams, with one body as well."""
    key = key_of(idempotency_key)
    body = {"commits": [members(item) for item in commits]}
    if checks:
        body["checks"] = [members(item) for item in checks]
    query = given(forthcoming=forthcoming, details=True)
    send = Send("POST", "/commits", query, {"idempotency-key": key}, encode(body))

    def read(answer: Answer, content: Any) -> CommittedSet:
        replayed = is_replayed(answer)
        items = settings.loads(content.decode())["commits"]
        return CommittedSet([committed_of(item, key, replayed) for item in items], key, replayed)

    return (yield from request(settings, send, read, key=key))


def members(item: NewChangeset | Check) -> dict[str, Any]:
    """The members of a commit or a check that are given."""
    values = {name: getattr(item, name) for name in item.__dataclass_fields__}
    return {name: value for name, value in values.items() if value is not None}


def key_of(idempotency_key: str | None) -> str:
    """The key of a commit: the one that is given, or a new one."""
    key = str(uuid.uuid4()) if idempotency_key is None else idempotency_key
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise ValueError("an idempotency key has 1 to 255 printable ASCII characters")
    return key


def is_replayed(answer: Answer) -> bool:
    """Whether an earlier commit has the key."""
    return answer.headers.get("idempotency-replayed") == "true"


def stream_info(settings: Settings, stream_id: str) -> Steps[StreamInfo]:
    """The end of a stream."""

    def read(_: Answer, content: Any) -> StreamInfo:
        item = settings.loads(content.decode())
        return StreamInfo(
            item["stream_id"], item["last_changeset"], item["last_event"], item["last_timestamp"]
        )

    return (yield from request(settings, Send("GET", path_of(stream_id)), read))


def statistics(settings: Settings) -> Steps[Statistics]:
    """The counts of the whole store."""

    def read(_: Answer, content: Any) -> Statistics:
        item = settings.loads(content.decode())
        names = Statistics.__dataclass_fields__
        return Statistics(**{name: item[name] for name in names})

    return (yield from request(settings, Send("GET", "/streams"), read))


def read_stream(
    settings: Settings,
    kind: str,
    stream_id: str,
    *,
    from_id: int | None = None,
    to_id: int | None = None,
    direction: Direction = "forward",
    page_size: int | None = None,
    wait: int | None = None,
    details: bool = False,
) -> Steps[None]:
    """Emits the changesets, or the events, of a stream: page by page."""
    make: Any = changeset_of if kind == "changesets" else event_of
    backward = direction == "backward"

    def read(_: Answer, content: Any) -> tuple[list[Changeset | Event], int | None]:
        page = settings.loads(content.decode())
        items = [make(item, page["stream_id"]) for item in page[kind]]
        return items, page.get("next")

    while True:
        query = given(limit=page_size, wait=wait, details=details)
        query += given(**{"from": from_id, "to": to_id})
        if backward:
            query.append(("direction", direction))
        send = Send("GET", f"{path_of(stream_id)}/{kind}", query, wait=wait or 0)
        items, following = yield from request(settings, send, read)
        yield Emit(items)
        if following is None:
            return
        wait = None
        if backward:
            to_id = following
        else:
            from_id = following


def read_all(
    settings: Settings,
    kind: str,
    *,
    checkpoint: int | str | None = None,
    direction: Direction = "forward",
    filter: Filter | None = None,
    store: str | None = None,
    page_size: int = 1000,
    details: bool = False,
) -> Steps[None]:
    """Emits what the global order has now: forward up to its head, or backward down to its begin."""
    make: Any = changeset_of if kind == "changesets" else event_of
    pinned = store or settings.store

    def read(answer: Answer, content: Any) -> tuple[Any, Any, Any, str | None]:
        page = settings.loads(content.decode())
        items = [make(item) for item in page[kind]]
        return items, page["checkpoint"], page["next_checkpoint"], answer.headers.get("ees-store")

    at = checkpoint
    while True:
        query = given(checkpoint=at, store=pinned, limit=page_size, details=details)
        if direction == "backward":
            query.append(("direction", direction))
        send = Send("GET", f"/{kind}", query + selecting(filter))
        items, asked, following, answered = yield from request(settings, send, read, store=pinned)
        # The pages after the first one are of the same store.
        pinned = pinned or answered
        yield Emit(items)
        is_start = str(following) in ("0", "0.0") and direction == "backward"
        if is_start or (not items and following == asked):
            return
        at = following
