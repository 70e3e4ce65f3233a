"""One request to the oracle and its answer, which whoever waits for it may end at any moment."""

from __future__ import annotations

import contextlib
import functools
import socket
import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from urllib3.poolmanager import PoolManager

from dstack_quota_oracle import __version__
from dstack_quota_oracle.settings import Settings

_MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Eight times what 10,000 verdicts take; beyond it, it is no answer of the oracle's."""

_PIECE_BYTES = 256 * 1024
"""An answer comes compressed and is read in one go: in a busy process every read is a wait."""


class NoAnswerError(Exception):
    """The oracle gave no usable answer; `kind` groups what is alike for the log."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind

    @property
    def heard(self) -> bool:
        """Whether somebody answered, if only with an error."""
        return self.kind not in ("timeout", "unreachable")


class Exchange:
    """Asks for one thing over a connection of its own.

    A kept connection may lead to a host that is gone, and is found dead only by waiting. Calls
    are few, since questions are shared.
    """

    def __init__(
        self,
        settings: Settings,
        path: str,
        body: bytes | None = None,
        method: str | None = None,
    ) -> None:
        self._settings = settings
        self._path = path
        self._body = body
        self._method = method or ("GET" if body is None else "POST")
        self._connection: Any = None
        self._socket: Any = None
        self._over = False

    def run(self, seconds: float) -> bytes:
        """The body of a successful answer; `seconds` bound how long connecting may take."""
        try:
            return self._answer(seconds)
        finally:
            if self._over:
                # Whatever it looks like from here: nobody has waited for it.
                raise timed_out() from None

    def _answer(self, seconds: float) -> bytes:
        _here.exchange = self
        try:
            with requests.Session() as session:
                adapter = _Adapter()
                session.mount("http://", adapter)
                session.mount("https://", adapter)
                with session.request(
                    self._method,
                    self._settings.url + self._path,
                    data=self._body,
                    auth=self._authorize,
                    headers={
                        "Content-Type": "application/json",
                        "User-Agent": f"dstack-quota-oracle/{__version__}",
                    },
                    # While it connects there is no socket to shut yet; whoever waits for the rest
                    # hangs up, by no clock but their own.
                    timeout=(seconds, None),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    if response.status_code // 100 != 2:
                        raise _refusal(response.status_code)
                    return _read(response)
        except requests.Timeout:
            raise timed_out() from None
        except requests.ConnectionError as error:
            raise NoAnswerError("unreachable", _cause(error)) from None
        except (ChunkedEncodingError, ContentDecodingError):
            raise NoAnswerError("malformed", "its answer broke off") from None
        except requests.RequestException as error:
            # Its text may repeat a header, or the password of a proxy.
            raise NoAnswerError("unreachable", type(error).__name__) from None

    def hang_up(self) -> None:
        """Ends the exchange from another thread, whatever it waits for.

        Timeouts of sockets bound each read, not all of them: an answer that comes byte by byte
        never meets one.
        """
        self._over = True
        used: Any
        for used in (self._socket, getattr(self._connection, "sock", None)):
            with contextlib.suppress(Exception):
                # Not the TLS socket's own method, which first forgets its keys.
                socket.socket.shutdown(used, socket.SHUT_RDWR)

    def use(self, connection: Any) -> None:
        """Takes note of the connection, and of its socket, which outlives it in a response."""
        self._connection, self._socket = connection, connection.sock
        if self._over:
            raise timed_out()

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # As a function, so that an entry in .netrc does not take the header's place.
        if self._body is not None and (token := self._settings.token()) is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        return request


class _Here(threading.local):
    exchange: Exchange


_here = _Here()
"""The exchange that runs in this thread: urllib3 makes its connections out of our sight."""


@functools.cache
def _watched(pool: Any) -> Any:
    """The class of pools, whichever it is, with connections that can be ended from outside."""

    class Connection(pool.ConnectionCls):  # type: ignore[misc]
        def connect(self) -> None:
            _here.exchange.use(self)
            super().connect()
            _here.exchange.use(self)

    class Pool(pool):  # type: ignore[misc]
        ConnectionCls = Connection

    return Pool


class _Adapter(HTTPAdapter):
    """requests' own adapter over connections that can be ended from outside."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        _watch(manager)
        return manager


def _watch(manager: PoolManager) -> None:
    # Derived from what is there: a SOCKS proxy's pools are of classes of their own.
    manager.pool_classes_by_scheme = {
        scheme: _watched(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


def timed_out() -> NoAnswerError:
    """What whoever waits is told at the deadline."""
    return NoAnswerError("timeout", "it did not answer in time")


def _read(response: requests.Response) -> bytes:
    content = bytearray()
    for piece in response.iter_content(_PIECE_BYTES):
        content += piece
        if len(content) > _MAX_ANSWER_BYTES:
            raise NoAnswerError("malformed", "its answer is too long")
    return bytes(content)


def _refusal(status: int) -> NoAnswerError:
    kind = "refused" if status in (401, 403) else f"status {status}"
    hint = "; look at QUOTA_ORACLE_TOKEN" if kind == "refused" else ""
    return NoAnswerError(kind, f"it answered HTTP {status}{hint}")


def _cause(error: BaseException) -> str:
    """The innermost reason; the outer ones repeat addresses and object names."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return f"{type(error).__name__}: {reason or error}"
