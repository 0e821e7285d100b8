#!/usr/bin/env python3
"""A server that answers as a script says, for the tests of the clients.

`PUT /_scripts/NAME` takes a list of answers. The requests to `/NAME/...` get them one after the other,
and 503 after the last one. Who asks for very much more gets 400, so that a test comes to its end.
`GET /_scripts/NAME` lists these requests. An answer is an object:

    status, headers, json | text    an answer
    delay                           seconds before it
    until                           so many requests have come before it
    again                           it is the answer to all that follow, too
    drop                            the connection ends without an answer
    cut                             so many bytes of the body, then the connection ends
    stream, end                     an event stream: texts, or {"hex": bytes}, each sent by itself;
                                    then the connection is closed, reset, or hangs

The first line on standard output is the URL. The server ends with its standard input.
"""

import json
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

EXHAUSTED = {"status": 503, "json": {"error": "OVERLOADED", "message": "the script is over", "outcome": "none"}}
ENDED = {"status": 400, "json": {"error": "SCRIPT_ENDED", "message": "the script is long over"}}
STORE = "00000000-0000-4000-8000-000000000001"


class Script:
    """The answers of one case, and the requests that they got."""

    def __init__(self, answers):
        self.answers = answers
        self.requests = []
        self.news = threading.Condition()

    def next(self, request):
        with self.news:
            number = len(self.requests)
            self.requests.append(request)
            self.news.notify_all()
            is_last = number >= len(self.answers) - 1
            if is_last and self.answers and self.answers[-1].get("again"):
                return self.answers[-1]
            if number > len(self.answers) + 100:
                return ENDED
            answer = self.answers[number] if number < len(self.answers) else EXHAUSTED
            self.news.wait_for(lambda: len(self.requests) >= answer.get("until", 0), timeout=60)
        return answer


SCRIPTS = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A small piece is sent at once.
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        url = urlsplit(self.path)
        _, name, *rest = url.path.split("/", 2)
        if name == "_scripts":
            return self._control(rest[0], body)
        answer = SCRIPTS[name].next(
            {
                "method": self.command,
                "path": unquote("/" + "".join(rest)),
                "raw_path": "/" + "".join(rest),
                "query": parse_qsl(url.query, keep_blank_values=True),
                "headers": {key.lower(): value for key, value in self.headers.items()},
                "body": body,
                "at": time.monotonic(),
            }
        )
        time.sleep(answer.get("delay", 0))
        if answer.get("drop"):
            self.close_connection = True
        elif "stream" in answer:
            self._stream(answer)
        else:
            self._answer(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _control(self, name, body):
        if self.command == "PUT":
            SCRIPTS[name] = Script(json.loads(body))
            self._answer({"status": 200, "json": {}})
        else:
            self._answer({"status": 200, "json": SCRIPTS[name].requests})

    def _head(self, answer, defaults):
        self.send_response(answer.get("status", 200))
        headers = {"EES-Store": STORE, **defaults, **answer.get("headers", {})}
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def _answer(self, answer):
        is_json = "json" in answer
        content = (json.dumps(answer["json"]) if is_json else answer.get("text", "")).encode()
        kind = "application/json" if is_json else "text/html"
        length = None if answer.get("status") == 204 else str(len(content))
        self._head(answer, {"Content-Type": kind, "Content-Length": length})
        self.wfile.write(content[: answer.get("cut", len(content))])
        if "cut" in answer:
            self.close_connection = True

    def _stream(self, answer):
        self._head(answer, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"})
        for piece in answer["stream"]:
            content = bytes.fromhex(piece["hex"]) if isinstance(piece, dict) else piece.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
            # So that the pieces arrive one by one.
            time.sleep(0.01)
        end = answer.get("end", "close")
        if end == "close":
            self.wfile.write(b"0\r\n\r\n")
        elif end == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            # Until the client goes away, but not for ever.
            self.connection.settimeout(30)
            self.rfile.read(1)
        self.close_connection = True


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def handle_error(self, *_):
        """A client that went away is no error."""


def main():
    server = Server(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
