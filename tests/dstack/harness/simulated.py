"""The simulated clouds of the quota-oracle binary, and what they say about their limits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from .binary import quota_oracle
from .processes import Process, clean_environment

ANSWER_MILLISECONDS = 100
"""What a call to Service Quotas takes from another continent; AWS documents none."""


OF_STS = ("GetCallerIdentity", "AssumeRole")


@dataclass(frozen=True)
class Calls:
    """What the simulated AWS counted."""

    total: int
    throttled: int
    by_region: dict[str, dict[str, int]]
    """How often each operation was called."""


class SimulatedClouds:
    """`quota-oracle simulate`: AWS with its documented rate limits, and the other clouds."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.nebius_credentials = folder / "nebius.json"
        self._process = Process(
            "quota-oracle simulate",
            [quota_oracle(), "simulate", "--nebius-credentials", str(self.nebius_credentials)],
            folder / "simulate.log",
            clean_environment(),
        )
        self._process.wait_until(lambda: "\nnebius-controls " in self._process.text())
        named = dict(line.split() for line in self._process.text().splitlines())
        self.aws: str = named["aws"]
        self.nebius: str = named["nebius"]
        self.gcp: str = named["gcp"]
        self.azure: str = named["azure"]
        self._nebius_controls: str = named["nebius-controls"]

    def reset(self) -> None:
        """No faults, no counts, the usual delay; limits and usage stay."""
        self._delete("/faults")
        self._post("/latency", {"fixed_ms": ANSWER_MILLISECONDS})
        self._delete("/calls")

    def fault(self, kind: str, region: str) -> None:
        self._post("/fault", {"kind": kind, "region": region})

    def calls(self) -> Calls:
        """Of Service Quotas; STS is asked by everybody once in a while."""
        body = self._get("/calls")
        by_region: dict[str, dict[str, int]] = {}
        total = throttled = 0
        for row in body["by_operation"]:
            if row["operation"] in OF_STS:
                continue
            by_region.setdefault(row["region"], {})[row["operation"]] = row["calls"]
            total += row["calls"]
            throttled += row["throttled"]
        return Calls(total, throttled, by_region)

    def outcomes(self) -> set[str]:
        """How the calls of Service Quotas ended: `ok`, an error of AWS's, or a fault."""
        log = self._get("/log", last="100000")["log"]
        return {call["outcome"] for call in log if call["operation"] not in OF_STS}

    def wait_until_all_are_asked(self, regions: Collection[str]) -> None:
        """Waits until each of the regions has had a call that it counted."""
        self._process.wait_until(lambda: set(self.calls().by_region) >= set(regions))

    def quotas(self, region: str) -> dict[str, tuple[float | None, float]]:
        """Limit and usage by quota code."""
        rows = self._get("/quotas", region=region)["quotas"]
        return {row["code"]: (row["limit"], row["usage"]) for row in rows}

    def set_limit(self, region: str, code: str, limit: int) -> None:
        """What the account may have of a quota of AWS from now on."""
        self._post("/limit", {"region": region, "code": code, "value": limit})

    def set_nebius(self, region: str, name: str, *, limit: int, usage: int) -> None:
        """What the tenant may have of a quota of Nebius, and what it has in use."""
        for what, value in (("limit", limit), ("usage", usage)):
            url = f"{self._nebius_controls}/_sim/{what}"
            body = {"region": region, "name": name, "value": value}
            response = requests.post(url, json=body, timeout=10)
            assert response.ok, response.text

    def set_gcp(self, region: str | None, code: str, *, limit: int, usage: int) -> None:
        """What the project may have of a quota of Google Cloud, and what it has in use."""
        for what, value in (("limit", limit), ("usage", usage)):
            body = {"region": region, "code": code, "value": value}
            response = requests.post(f"{self.gcp}/_sim/{what}", json=body, timeout=10)
            assert response.ok, response.text

    def set_azure(self, location: str, name: str, *, limit: int, usage: int) -> None:
        """What the subscription may have of a quota of Azure, and what it has in use."""
        for what, value in (("limit", limit), ("usage", usage)):
            body = {"location": location, "name": name, "value": value}
            self._post_to_azure(what, body)

    def restrict_azure(self, location: str, size: str, *zones: str) -> None:
        """Holds a size back from the subscription, in some zones or in the whole location."""
        reason = "NotAvailableForSubscription"
        body = {"location": location, "size": size, "reason": reason, "zones": zones}
        self._post_to_azure("restriction", body)

    def _post_to_azure(self, path: str, body: dict[str, Any]) -> None:
        response = requests.post(f"{self.azure}/_sim/{path}", json=body, timeout=10)
        assert response.ok, response.text

    def stop(self) -> None:
        self._process.stop()

    def _get(self, path: str, **query: str) -> Any:
        response = requests.get(f"{self.aws}/_sim{path}", params=query, timeout=10)
        assert response.ok, response.text
        return response.json()

    def _post(self, path: str, body: dict[str, Any]) -> None:
        response = requests.post(f"{self.aws}/_sim{path}", json=body, timeout=10)
        assert response.ok, response.text

    def _delete(self, path: str) -> None:
        assert requests.delete(f"{self.aws}/_sim{path}", timeout=10).ok
