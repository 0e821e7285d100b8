"""What the store answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Direction = Literal["forward", "backward"]


@dataclass(slots=True)
class Changeset:
    """The events that one commit stored together. The last four are given with `details=True`."""

    stream_id: str
    changeset_id: int
    events: list[Any]
    metadata: Any
    checkpoint: int | None = None
    """Its place in the order of all streams; absent in reads of one stream without details."""
    timestamp: str | None = None
    first_event_id: int | None = None
    last_event_id: int | None = None
    idempotency_key: str | None = None


@dataclass(slots=True)
class Event:
    """One event. Reads of one stream give `changeset_id` with `details=True` only."""

    stream_id: str
    event_id: int
    data: Any
    changeset_id: int | None = None
    checkpoint: str | None = None
    """`c.i`: the checkpoint of its changeset, and its index there."""
    metadata: Any = None
    timestamp: str | None = None


@dataclass(slots=True)
class Committed:
    """A commit that is stored."""

    stream_id: str
    changeset_id: int
    idempotency_key: str
    replayed: bool
    """Whether an earlier try, or another process with the same key, had stored it."""
    checkpoint: int | None
    """Absent on DynamoDB, where it is assigned shortly afterwards."""
    timestamp: str | None
    first_event_id: int | None
    last_event_id: int | None


@dataclass(slots=True)
class NewChangeset:
    """A changeset that a set shall append to a stream, under the expectation of a commit."""

    stream_id: str
    events: list[Any]
    expected_last_changeset: int | None = None
    expected_last_event: int | None = None
    metadata: Any = None


@dataclass(slots=True)
class Check:
    """A stream that must be as it was seen, although a set appends nothing to it.

    It has one of the expectations; 0 says that the stream must not exist.
    """

    stream_id: str
    expected_last_changeset: int | None = None
    expected_last_event: int | None = None


@dataclass(slots=True)
class CommittedSet:
    """A set that is stored."""

    commits: list[Committed]
    """In the order of the call."""
    idempotency_key: str
    replayed: bool
    """Whether an earlier try, or another process with the same key, had stored it."""


@dataclass(slots=True)
class Conflict:
    """A stream that is not as a commit or a check of a set expects it."""

    stream_id: str
    last_changeset: int
    """Its last changeset; 0: it does not exist."""
    last_event: int
    forthcoming: list[Changeset]
    """The changesets that were missed, or the first of them."""
    next: int | None
    """If more were missed: the `from_id` with which to read on."""


@dataclass(slots=True)
class StreamInfo:
    """The end of a stream."""

    stream_id: str
    last_changeset: int
    last_event: int
    last_timestamp: str


@dataclass(slots=True)
class ChangesetBatch:
    """Changesets that arrived together. Save `next_checkpoint` and `store` with what they changed."""

    changesets: list[Changeset]
    next_checkpoint: int
    store: str | None


@dataclass(slots=True)
class EventBatch:
    """Events that arrived together. Save `next_checkpoint` and `store` with what they changed."""

    events: list[Event]
    next_checkpoint: str
    store: str | None


@dataclass(slots=True)
class Filter:
    """What is selected: streams with one of the prefixes, and changesets with one of the types."""

    stream_prefixes: list[str] = field(default_factory=list)
    event_types: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ConsumerBatch:
    """The changesets that a worker of a consumer has to handle."""

    partition: int
    generation: int
    lease_seconds: int
    kind: str
    changesets: list[Changeset]
    next_checkpoint: int


@dataclass(slots=True)
class Parked:
    """A stream that a consumer could not handle."""

    stream_id: str
    from_changeset: int
    attempts: int
    error: str
    since: str | None = None
    next_try: str | None = None
    stopped: bool = False


@dataclass(slots=True)
class Statistics:
    """Counts of the whole store, exact below `statistics_version`."""

    total_streams: int
    total_changesets: int
    total_events: int
    max_stream_length: int
    statistics_version: int


def changeset_of(item: Mapping[str, Any], stream_id: str = "") -> Changeset:
    """A changeset of an answer; `stream_id` where the answer has it outside."""
    get = item.get
    return Changeset(
        get("stream_id", stream_id),
        item["changeset_id"],
        item["events"],
        get("metadata"),
        get("checkpoint"),
        get("timestamp"),
        get("first_event_id"),
        get("last_event_id"),
        get("idempotency_key"),
    )


def committed_of(item: Mapping[str, Any], key: str, replayed: bool) -> Committed:
    """A changeset that a commit has stored."""
    return Committed(
        item["stream_id"],
        item["changeset_id"],
        key,
        replayed,
        item.get("checkpoint"),
        item.get("timestamp"),
        item.get("first_event_id"),
        item.get("last_event_id"),
    )


def conflict_of(item: Mapping[str, Any]) -> Conflict:
    """A stream that is not as expected."""
    stream_id = str(item.get("stream_id"))
    missed = item.get("forthcoming_changesets", [])
    return Conflict(
        stream_id,
        item.get("last_changeset", 0),
        item.get("last_event", 0),
        [changeset_of(changeset, stream_id) for changeset in missed],
        item.get("next"),
    )


def event_of(item: Mapping[str, Any], stream_id: str = "") -> Event:
    """An event of an answer; a read of one stream calls its number `id`."""
    get = item.get
    return Event(
        get("stream_id", stream_id),
        get("event_id") or item["id"],
        item["data"],
        get("changeset_id"),
        get("checkpoint"),
        get("metadata"),
        get("timestamp"),
    )


def consumer_batch_of(item: Mapping[str, Any]) -> ConsumerBatch:
    """A batch of a consumer."""
    return ConsumerBatch(
        item["partition"],
        item["generation"],
        item["lease_seconds"],
        item["kind"],
        [changeset_of(changeset) for changeset in item["changesets"]],
        item["next_checkpoint"],
    )


def parked_of(item: Mapping[str, Any]) -> Parked:
    """An entry of a parked stream."""
    known = ("stream_id", "from_changeset", "attempts", "error", "since", "next_try", "stopped")
    return Parked(**{name: item[name] for name in known if name in item})


@dataclass(slots=True)
class PartitionReport:
    """A partition of a consumer. The last three are given while a batch is out."""

    partition: int
    checkpoint: int
    generation: int
    parked: int
    worker: str | None = None
    lease_seconds_left: float | None = None
    batch_out_seconds: float | None = None


@dataclass(slots=True)
class ConsumerReport:
    """How far a consumer has come. The last two are given with `passed`."""

    name: str
    definition: Mapping[str, Any]
    lag_changesets: int
    lag_seconds: float
    partitions: list[PartitionReport]
    passed: bool | None = None
    parked_before: int | None = None


def consumer_report_of(item: Mapping[str, Any]) -> ConsumerReport:
    """The report of a consumer."""
    known = PartitionReport.__dataclass_fields__
    lag = item["lag"]
    return ConsumerReport(
        item["name"],
        item["definition"],
        lag["changesets"],
        lag["seconds"],
        [
            PartitionReport(**{name: row[name] for name in known if name in row})
            for row in item["partitions"]
        ],
        item.get("passed"),
        item.get("parked_before"),
    )
