"""The cases of clients/cases.md that a scripted server plays, with both clients."""

import asyncio
import threading
from typing import Any

import httpx
import pytest

from conftest import Scripted
from ees_client import AsyncEventStore, EventStore, Retry
from playing import Case, Outcome, cases, check, play, titles

CASES = cases()
QUICK = Retry(attempts=4, first_pause=0.01, longest_pause=0.05)


def name(number: int) -> str:
    case = CASES[number]
    return f"case {case['case']} ({number}): {titles()[case['case']]}"


def settings(case: Case) -> dict[str, Any]:
    return {"retry": QUICK, **case.get("client", {})}


def address(scripted: Scripted, script: str, case: Case) -> str:
    url = scripted.put(script, case["answers"])
    # Nobody listens on the port of the discard service.
    return "http://127.0.0.1:9" if case.get("unreachable") else url


@pytest.mark.parametrize("number", range(len(CASES)), ids=name)
def test_blocking(number: int, scripted: Scripted) -> None:
    case, script = CASES[number], f"blocking-{number}"
    outcome = Outcome(case)
    outcome.stop = threading.Event()
    # Reading the certificates of the system for each case would take longer than the case.
    client = httpx.Client(verify=False)
    url = address(scripted, script, case)
    with client, EventStore(url, client=client, **settings(case)) as store:
        asyncio.run(play(store, outcome))
    check(outcome, scripted.requests(script))


@pytest.mark.parametrize("number", range(len(CASES)), ids=name)
def test_awaiting(number: int, scripted: Scripted) -> None:
    case, script = CASES[number], f"awaiting-{number}"
    outcome = Outcome(case)

    async def run() -> None:
        outcome.stop = asyncio.Event()
        client = httpx.AsyncClient(verify=False)
        url = address(scripted, script, case)
        async with client, AsyncEventStore(url, client=client, **settings(case)) as store:
            await play(store, outcome)

    asyncio.run(run())
    check(outcome, scripted.requests(script))
