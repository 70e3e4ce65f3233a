"""Keeps AWS offers when dstack reads AWS quotas through the oracle and the oracle is away.

With `AWS_ENDPOINT_URL_SERVICE_QUOTAS` at the oracle, a refused connection costs dstack every
AWS offer: it takes error answers for "unknown", but not the lack of an answer. Beside the
plugin the variable can be left out until the oracle is back, and dstack asks AWS itself.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TypeVar

from dstack_quota_oracle.saying import Sayer

VARIABLE = "AWS_ENDPOINT_URL_SERVICE_QUOTAS"

T = TypeVar("T")


class QuotaEndpoint:
    """The endpoint variable of dstack's process, which boto3 reads for every new client."""

    def __init__(self, sayer: Sayer) -> None:
        self._sayer = sayer
        self._left_out: str | None = None
        self._lock = threading.Lock()

    def listed(self, list_offers: Callable[[], T]) -> T:
        """What `list_offers` gives, if need be after it was led past the oracle."""
        try:
            return list_offers()
        except Exception as error:
            if not self._leave_out(error):
                raise
            self._sayer.failure(
                "endpoint",
                "The quota oracle was not heard, AWS is asked for its quotas directly: %s",
                error,
            )
        return list_offers()

    def restore(self) -> None:
        """Leads to the oracle again."""
        with self._lock:
            if self._left_out is not None:
                os.environ.setdefault(VARIABLE, self._left_out)
                self._left_out = None

    def _leave_out(self, error: Exception) -> bool:
        # botocore's connection errors and timeouts carry the address; a botocore is installed
        # only where dstack has an AWS backend, so its classes cannot be named here.
        details = getattr(error, "kwargs", None)
        address = details.get("endpoint_url") if isinstance(details, dict) else None
        with self._lock:
            configured = os.environ.get(VARIABLE) or self._left_out
            if not configured or not str(address or "").startswith(configured.rstrip("/")):
                return False
            # Another plan may have left it out already, while this one was under way.
            self._left_out = configured
            os.environ.pop(VARIABLE, None)
            return True
