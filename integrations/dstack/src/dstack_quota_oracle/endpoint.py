"""Keeps AWS offers when dstack reads AWS quotas through the oracle and the oracle is away.

With `AWS_ENDPOINT_URL_SERVICE_QUOTAS` at the oracle, a refused connection costs dstack every
AWS offer, and one that hangs costs it minutes before: it takes error answers for "unknown", but
not the lack of an answer. Beside the plugin the variable can be left out until the oracle is
back, and dstack asks AWS itself.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from typing import TypeVar

from dstack_quota_oracle.client import OracleClient
from dstack_quota_oracle.saying import Sayer, sayable
from dstack_quota_oracle.shapes import Backend

VARIABLE = "AWS_ENDPOINT_URL_SERVICE_QUOTAS"

_OF_AN_ORACLE = re.compile(r"(https?://.+?)/aws(/[^/]+)?/*")
"""The oracle's address, and its route for AWS clients."""

T = TypeVar("T")


class QuotaEndpoint:
    """The endpoint variable of dstack's process, which boto3 reads for every new client."""

    def __init__(self, client: OracleClient, sayer: Sayer) -> None:
        self._sayer = sayer
        self._configured = os.environ.get(VARIABLE, "").strip()
        # One that leads elsewhere is none of ours.
        found = _OF_AN_ORACLE.fullmatch(self._configured)
        self._oracle = client.at(found[1]) if found else None
        self._lock = threading.Lock()

    def listed(self, backend: Backend, list_offers: Callable[[], T]) -> T:
        """What `list_offers` gives, led past an oracle that is away."""
        if self._oracle is None or not _is_aws(backend):
            return list_offers()
        self._lead(self._oracle)
        try:
            return list_offers()
        except Exception as error:
            # It may have gone away after it was found to be there.
            if not self._was_asked(error):
                raise
            self._oracle.lost()
            self._leave_out()
        return list_offers()

    def _lead(self, oracle: OracleClient) -> None:
        try:
            reachable = oracle.reachable()
        except Exception as error:
            # No thread can be started, for one: that says nothing about the oracle.
            self._sayer.failure("probe", "The quota oracle was not looked for: %s", sayable(error))
            return
        if reachable:
            self._put_back()
        else:
            self._leave_out()

    def _put_back(self) -> None:
        with self._lock:
            os.environ.setdefault(VARIABLE, self._configured)
        self._sayer.recovered("AWS quotas are read through the quota oracle again")

    def _leave_out(self) -> None:
        with self._lock:
            os.environ.pop(VARIABLE, None)
        self._sayer.failure(
            "endpoint", "The quota oracle was not heard, AWS is asked for its quotas directly"
        )

    def _was_asked(self, error: Exception) -> bool:
        # botocore's connection errors and timeouts carry the address; a botocore is installed
        # only where dstack has an AWS backend, so its classes cannot be named here.
        details = getattr(error, "kwargs", None)
        address = details.get("endpoint_url") if isinstance(details, dict) else None
        return str(address or "").startswith(self._configured.rstrip("/"))


def _is_aws(backend: Backend) -> bool:
    return str(getattr(getattr(backend, "TYPE", None), "value", "")).lower() == "aws"
