"""Plays a case of clients/cases: calls the client, and compares what happened."""

import inspect
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from ees_client import (
    ApiError,
    Check,
    EesError,
    Filter,
    NewChangeset,
    TransportError,
    UnexpectedAnswerError,
)
from ees_client import errors as kinds

CLIENTS = Path(__file__).parents[2]
Case = dict[str, Any]
STREAMED = ("read_", "follow", "parked")


def titles() -> dict[int, str]:
    """The sentence of each number in cases.md."""
    text = (CLIENTS / "cases.md").read_text()
    found = re.findall(r"^(\d+)\. (.+(?:\n    .+)*)", text, re.M)
    return {int(number): " ".join(title.split()) for number, title in found}


def cases() -> list[Case]:
    """All cases that are played."""
    files = sorted((CLIENTS / "cases").glob("*.json"))
    return [case for file in files for case in json.loads(file.read_text())]


class Outcome:
    """What came of the calls of a case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.answer: Any = None
        self.items: list[Any] = []
        self.batches: list[Any] = []
        self.handled: list[int] = []
        self.error: BaseException | None = None
        self.stop: Any = None

    def arguments(self) -> dict[str, Any]:
        """The arguments of the call, with what the case asks of the caller."""
        arguments = dict(self.case["arguments"])
        if "filter" in arguments:
            arguments["filter"] = Filter(**arguments["filter"])
        for name, made in {"commits": NewChangeset, "checks": Check}.items():
            if name in arguments:
                arguments[name] = [made(**item) for item in arguments[name]]
        if self.case["call"] == "consume":
            arguments["handler"] = self.handle
        if "stop_after" in self.case:
            arguments["stop"] = self.stop
        return arguments

    def handle(self, changeset: Any) -> None:
        """The handler of a consumer."""
        self.handled.append(changeset.checkpoint)
        if len(self.handled) == self.case.get("stop_after"):
            self.stop.set()
        if changeset.checkpoint in self.case.get("fail", []):
            raise ValueError("the handler fails")

    def take(self, item: Any) -> bool:
        """Takes what a loop gives. Returns whether it was enough."""
        if "batches" in self.case["call"]:
            self.batches.append(item)
            self.items += item.events if hasattr(item, "events") else item.changesets
        else:
            self.items.append(item)
        if len(self.items) >= self.case.get("stop_after", 1 << 30):
            self.stop.set()
        return len(self.items) >= int(self.case.get("take", 1 << 30))


def is_loop(case: Case) -> bool:
    """Whether the call gives something to loop over."""
    return str(case["call"]).startswith(STREAMED)


async def play(store: Any, outcome: Outcome) -> None:
    """Makes the calls of a case, with either client."""
    call: Callable[..., Any] = getattr(store, outcome.case["call"])
    try:
        for _ in range(outcome.case.get("times", 1)):
            result = call(**outcome.arguments())
            if isinstance(result, AsyncIterator):
                async for item in result:
                    if outcome.take(item):
                        break
                await result.aclose()  # type: ignore[attr-defined]
            elif is_loop(outcome.case):
                for item in result:
                    if outcome.take(item):
                        break
                result.close()
            else:
                outcome.answer = await result if inspect.isawaitable(result) else result
    except (EesError, ValueError) as error:
        outcome.error = error


def like(actual: Any, expected: Any) -> bool:
    """Whether something has what is expected; objects and dictionaries may have more."""
    if isinstance(expected, str) and expected.startswith("~"):
        return isinstance(actual, str) and expected[1:] in actual
    if isinstance(expected, dict):
        have = actual if isinstance(actual, dict) else None
        return all(
            like(have.get(name) if have is not None else getattr(actual, name), value)
            for name, value in expected.items()
        )
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(like, actual, expected))
    return bool(actual == expected)


def kind(error: BaseException | None) -> str:
    """The name of an error in the cases."""
    if isinstance(error, TransportError):
        return "transport"
    if isinstance(error, UnexpectedAnswerError):
        return "unexpected-answer"
    if type(error) is ApiError:
        return "api"
    if isinstance(error, EesError):
        name = type(error).__name__.removesuffix("Error")
        assert getattr(kinds, type(error).__name__)
        return re.sub(r"(?<=.)([A-Z])", r"-\1", name).lower()
    return "refused" if isinstance(error, ValueError) else repr(error)


def check(outcome: Outcome, requests: list[dict[str, Any]]) -> None:
    """Compares what happened with what a case expects."""
    expect = outcome.case["expect"]
    check_error(outcome.error, expect, requests)
    if "answer" in expect:
        assert like(outcome.answer, expect["answer"]), outcome.answer
    if "items" in expect:
        assert like(outcome.items, expect["items"]), outcome.items
    if "handled" in expect:
        handled = sorted(outcome.handled) if "unordered" in expect else outcome.handled
        assert handled == expect["handled"]
    if "next_checkpoint" in expect:
        assert outcome.batches[-1].next_checkpoint == expect["next_checkpoint"]
    if "next_checkpoints" in expect:
        assert [batch.next_checkpoint for batch in outcome.batches] == expect["next_checkpoints"]
    if "store" in expect:
        assert outcome.batches[-1].store == expect["store"]
    check_requests(expect, requests)


def check_error(
    error: BaseException | None, expect: dict[str, Any], requests: list[dict[str, Any]]
) -> None:
    """Compares an error."""
    expected = dict(expect.get("error", {}))
    if not expected:
        assert error is None, repr(error)
        return
    assert kind(error) == expected.pop("type"), repr(error)
    assert expected.pop("message", "") in str(error)
    assert like(error, expected), vars(error or object())
    if expect.get("error_has_key"):
        key = getattr(error, "idempotency_key")  # noqa: B009
        assert key is not None and key in str(error)
        assert all(request["headers"]["idempotency-key"] == key for request in requests)


def check_requests(expect: dict[str, Any], requests: list[dict[str, Any]]) -> None:
    """Compares what was sent."""
    if "tries" in expect:
        assert len(requests) == expect["tries"], requests
    assert len(requests) >= expect.get("tries_at_least", 0), requests
    part = {"body": lambda r: r["body"], "query": lambda r: r["query"]}
    for name in expect.get("same", []):
        values = [part.get(name, lambda r: r["headers"][name])(r) for r in requests]
        assert all(value == values[0] for value in values), name
    for name in expect.get("distinct", []):
        assert len({request["headers"][name] for request in requests}) == len(requests)
    for number, gap in enumerate(expect.get("gaps", [])):
        assert requests[number + 1]["at"] - requests[number]["at"] >= gap
    if "workers" in expect:
        claims = [json.loads(r["body"]) for r in requests if r["path"].endswith("claim")]
        assert sorted({claim["worker"] for claim in claims}) == expect["workers"]
    if "requests" in expect:
        expected_ones = expect["requests"]
        # A slow machine may ask once more.
        sent = requests[: len(expected_ones)] if "more" in expect else requests
        assert len(sent) == len(expected_ones), requests
        for request, expected in zip(sent, expected_ones, strict=True):
            check_request(request, expected)


def check_request(request: dict[str, Any], expected: dict[str, Any]) -> None:
    """Compares one request."""
    for name in ("method", "path", "raw_path"):
        assert request[name] == expected.get(name, request[name]), request
    assert like(request["headers"], expected.get("headers", {})), request
    if "query" in expected:
        query: dict[str, list[str]] = {}
        for name, value in request["query"]:
            query.setdefault(name, []).append(value)
        assert query == expected["query"], query
    if "json" in expected:
        body = json.loads(request["body"])
        assert like(body, expected["json"]) and body.keys() == expected["json"].keys(), body
