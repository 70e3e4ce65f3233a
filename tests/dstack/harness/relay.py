"""A server on loopback that passes requests on, and looks at them on their way."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

NOT_PASSED_ON = (
    "connection",
    "keep-alive",
    "transfer-encoding",
    "content-length",
    "date",
    "server",
)
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Relay:
    """Passes everything on to `upstream`; stories derive from it to look, hold and refuse."""

    def __init__(self, upstream: str) -> None:
        relay = self
        self._upstream = urlsplit(upstream)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command, self.path, dict(self.headers), self.rfile.read(length)
                )
                answer = relay.answer(request)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in NOT_PASSED_ON:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def do_GET(self) -> None:
                self.do_POST()

            def do_DELETE(self) -> None:
                self.do_POST()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, request: Request) -> Answer:
        """The answer to a request: what is upstream gives it, unless a story says otherwise."""
        return self.passed_on(request)

    def passed_on(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self._upstream.netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request(request.method, request.path, request.body, dict(request.headers))
            found = connection.getresponse()
            return Answer(found.status, dict(found.headers), found.read())
        except ConnectionError:
            return Answer(502, {}, b"")
        finally:
            connection.close()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
