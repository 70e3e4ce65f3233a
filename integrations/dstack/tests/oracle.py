"""A quota oracle on loopback that answers as a test wants."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dstack_quota_oracle.saying import Sayer

Verdict = Callable[[dict[str, Any]], str]


class Oracle:
    """Records what it is asked; `verdict` decides about offers, `behave` about the rest."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.probes: list[tuple[str, dict[str, str]]] = []
        self.verdict: Verdict = lambda _: "available"
        self.behave: Callable[[BaseHTTPRequestHandler, dict[str, Any]], bool] | None = None
        self.over = threading.Event()
        oracle = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                oracle.probes.append((self.path, dict(self.headers)))
                if oracle.behave is None or not oracle.behave(self, {}):
                    answer(self, 200, "{}")

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length) or b"{}")
                oracle.requests.append((self.path, dict(self.headers), body))
                if oracle.behave is not None and oracle.behave(self, body):
                    return
                verdicts = [{"availability": oracle.verdict(o)} for o in body.get("offers", [])]
                answer(self, 200, json.dumps({"verdicts": verdicts, "backends": []}))

            def do_DELETE(self) -> None:
                self.do_POST()

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *args: object) -> None:
                """Says nothing: callers that hang up are part of the tests."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Every offer that was asked about."""
        return [offer for _, _, body in self.requests for offer in body.get("offers", [])]

    def stop(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def sayer() -> Sayer:
    """Says to the plugin's own log."""
    return Sayer(logging.getLogger("dstack.plugins.quota_oracle"))


def close(handler: BaseHTTPRequestHandler) -> bool:
    """Ends the connection, as one that dies does."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)
    return True


def answer(handler: BaseHTTPRequestHandler, status: int, text: str) -> bool:
    content = text.encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
    return True
