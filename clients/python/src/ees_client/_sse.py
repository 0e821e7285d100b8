"""Server-sent events, many at once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# How the store writes an event. Whatever else is a valid event is read line by line.
_USUAL = re.compile(r"event: (\w+)\nid: ([^\n]*)\ndata: ([^\n]*)")


@dataclass(slots=True)
class Frames:
    """The events of a stream, as bytes arrive. An event counts when its empty line has arrived."""

    last_id: str | None = None
    parts: list[bytes] = field(default_factory=list)
    """The beginning of an event that is not complete yet, without returns."""
    held: bytes = b""
    """A return, which may be half of a line break."""

    def feed(self, chunk: bytes) -> list[tuple[str, str]]:
        """The names and the data of the events that are complete now."""
        if self.held or b"\r" in chunk:
            chunk = self._without_returns(self.held + chunk)
        if chunk.rfind(b"\n\n") < 0 and not (chunk[:1] == b"\n" and self._ends_with_line()):
            self.parts.append(chunk)
            return []
        data = b"".join([*self.parts, chunk])
        # Only whole events are decoded, so a character is never cut in two.
        end = data.rfind(b"\n\n")
        self.parts = [data[end + 2 :]]
        return self._events(data[:end].decode("utf-8", "replace"))

    def _ends_with_line(self) -> bool:
        last = next((part for part in reversed(self.parts) if part), b"")
        return last.endswith(b"\n")

    def _without_returns(self, data: bytes) -> bytes:
        self.held = data[-1:] if data.endswith(b"\r") else b""
        whole = data[: len(data) - len(self.held)]
        return whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, text: str) -> list[tuple[str, str]]:
        events = []
        usual = _USUAL.fullmatch
        last_id = self.last_id
        for block in text.split("\n\n"):
            match = usual(block)
            if match:
                name, last_id, data = match.groups()
                events.append((name, data))
                continue
            block_id, name, lines = _lines(block)
            if block_id is not None:
                last_id = block_id
            if lines:
                events.append((name, "\n".join(lines)))
        self.last_id = last_id
        return events


def _lines(block: str) -> tuple[str | None, str, list[str]]:
    """The id, the name and the data of an event in any form."""
    last_id, name, data = None, "message", []
    for line in block.split("\n"):
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "id":
            last_id = value
        elif key == "event":
            name = value
        elif key == "data":
            data.append(value)
    return last_id, name, data
