"""An order service: commands over HTTP, and a read model of what is open."""

import json
import os
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ees_client import (
    Changeset, ConflictError, EesError, EventStore, KeyReusedError, StreamNotFoundError
)

store = EventStore(os.environ.get("EES_URL", "http://127.0.0.1:8080"))


class Order:
    """The aggregate: what was decided so far."""

    def __init__(self) -> None:
        self.last = 0
        self.open: int | None = None
        self.commands: set[str | None] = set()

    def apply(self, changeset: Changeset) -> None:
        self.last = changeset.changeset_id
        self.commands.add(changeset.idempotency_key)
        for event in changeset.events:
            self.open = (self.open or 0) + (1 if event["type"] == "placed" else -1) * event["cents"]

    def decide(self, kind: str, cents: int) -> list[dict]:
        if kind == "place" and self.open is None:
            return [{"type": "placed", "cents": cents}]
        if kind == "pay" and self.open is not None and 0 < cents <= self.open:
            return [{"type": "paid", "cents": cents}]
        raise ValueError(f"cannot {kind} {cents}: {self.open} is open")


def execute(stream: str, command_id: str, kind: str, cents: int) -> None:
    """Loads, decides and commits. A command that was executed before is done."""
    order = Order()
    try:
        for changeset in store.read_changesets(stream, details=True):
            order.apply(changeset)
    except StreamNotFoundError:
        pass  # It is a new order.
    while command_id not in order.commands:
        events = order.decide(kind, cents)
        try:
            store.commit(
                stream, events, expected_last_changeset=order.last, idempotency_key=command_id
            )
            return
        except KeyReusedError:
            return  # Another instance has executed it.
        except ConflictError as conflict:
            for changeset in conflict.forthcoming:
                order.apply(changeset)


def project(changeset: Changeset) -> None:
    """Keeps what is open, and the last changeset of each order, in one row: a repeat changes nothing."""
    change = sum(e["cents"] if e["type"] == "placed" else -e["cents"] for e in changeset.events)
    sql = """INSERT INTO orders VALUES (?1, ?2, ?3) ON CONFLICT (stream) DO UPDATE
             SET last = ?2, open = open + ?3 WHERE last < ?2"""
    with sqlite3.connect("orders.db") as rows:
        rows.execute(sql, (changeset.stream_id, changeset.changeset_id, change))


class Web(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        try:
            execute(**json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.answer(200, {})
        except ValueError as refused:
            self.answer(409, {"error": str(refused)})
        except EesError as error:
            self.answer(503, {"error": str(error)})

    def do_GET(self) -> None:
        with sqlite3.connect("orders.db") as rows:
            self.answer(200, dict(rows.execute("SELECT stream, open FROM orders WHERE open > 0")))

    def answer(self, status: int, body: dict) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


if __name__ == "__main__":
    with sqlite3.connect("orders.db") as rows:
        rows.execute("CREATE TABLE IF NOT EXISTS orders (stream PRIMARY KEY, last, open)")
    store.define_consumer("open-orders", stream_prefixes=["order-"], lease_seconds=5)
    threading.Thread(target=store.consume, args=("open-orders", project), daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Web)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()
