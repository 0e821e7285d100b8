"""Every number of clients/cases.md has a test."""

import re

from playing import CLIENTS, cases, titles


def test_every_case_has_a_test() -> None:
    played = {case["case"] for case in cases()}
    files = (CLIENTS / "python" / "tests").glob("test_*.py")
    named = {
        int(number)
        for file in files
        for number in re.findall(r"^(?:async )?def test_case_(\d+)_", file.read_text(), re.M)
    }
    assert not played & named
    assert sorted(played | named) == sorted(titles())
