"""Tells schemathesis how AWS writes JSON."""

from __future__ import annotations

import json
from typing import Any

import schemathesis

AWS_JSON = "application/x-amz-json-1.1"


@schemathesis.serializer(AWS_JSON)
def serialize(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value).encode()


@schemathesis.deserializer(AWS_JSON)
def deserialize(context: Any, response: Any) -> Any:
    return json.loads(response.content)
