"""Which oracle backend answers for which dstack backend.

dstack has one backend of a type in each project, the oracle one backend for each cloud
account. So a dstack backend is recognised by its type, or by the account it is in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dstack_quota_oracle.shapes import Backend

JUDGED_TYPES = frozenset({"aws", "azure", "crusoe", "gcp", "nebius", "oci"})
"""The clouds whose quotas the oracle knows: asked about unless the settings say otherwise."""

NOT_ASKED = "-"
"""Stands in the settings for: offers of this backend are left alone."""

_ACCOUNT_FIELDS: Mapping[str, tuple[str, ...]] = {
    "aws": ("creds.access_key",),
    "azure": ("subscription_id", "tenant_id"),
    "crusoe": ("project_id",),
    "gcp": ("project_id",),
    "nebius": ("creds.service_account_id",),
    "oci": ("compartment_id", "creds.tenancy"),
}
"""Where a backend's configuration names its account, the narrower name first."""


@dataclass(frozen=True)
class BackendNames:
    """Rules from `type` and `type:account` to the name of an oracle backend."""

    rules: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> BackendNames:
        """Reads `aws=aws-main, aws:AKIA…=aws-research, gcp=-`."""
        rules: dict[str, str] = {}
        for rule in re.split(r"[,\s]+", text.strip()):
            if not rule:
                continue
            key, equals, name = rule.partition("=")
            kind, colon, account = key.partition(":")
            if not (kind and equals and name) or (colon and not account):
                raise ValueError(f'"{rule}" is not like type=backend or type:account=backend')
            key = f"{kind.lower()}{colon}{account}"
            if key in rules:
                raise ValueError(f'"{key}" is given twice')
            rules[key] = name
        return cls(rules)

    def name_for(self, backend: Backend) -> str | None:
        """The oracle backend to ask, or None to leave the backend's offers alone."""
        kind = str(backend.TYPE.value).lower()
        for account in accounts(backend):
            if (name := self.rules.get(f"{kind}:{account}")) is not None:
                return _asked(name)
        if (name := self.rules.get(kind)) is not None:
            return _asked(name)
        # Where accounts are told apart, one that is not listed is another account, and
        # verdicts about somebody else's quotas would be worse than none.
        if any(key.startswith(f"{kind}:") for key in self.rules):
            return None
        if (name := self.rules.get("*")) is not None:
            return _asked(name)
        return kind if kind in JUDGED_TYPES else None

    def __str__(self) -> str:
        """The rules as one line of a log."""
        if not self.rules:
            return "named as their type"
        return ", ".join(f"{key}={name}" for key, name in self.rules.items())


def accounts(backend: Backend) -> list[str]:
    """The names of the cloud account that a dstack backend is in; none of them is a secret."""
    config = getattr(backend, "config", None)
    found = [
        text
        for path in _ACCOUNT_FIELDS.get(str(backend.TYPE.value).lower(), ())
        if isinstance(text := _follow(config, path), str) and text
    ]
    if _follow(config, "creds.type") == "default":
        found.append("default")
    return found


def _asked(name: str) -> str | None:
    return None if name == NOT_ASKED else name


def _follow(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = getattr(value, name, None)
    return value
