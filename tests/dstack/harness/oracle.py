"""The oracle between dstack and the simulated clouds, as `quota-oracle serve` runs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from .account import ACCESS_KEY_ID, REGIONS, SECRET_ACCESS_KEY
from .binary import quota_oracle
from .processes import Process, clean_environment, free_port
from .simulated import SimulatedClouds

TOKEN = "a-token-of-the-stories"


class Oracle:
    """One running service; `settings` are the lines that make the case."""

    def __init__(
        self,
        folder: Path,
        clouds: SimulatedClouds,
        *,
        aws: Sequence[str] = (),
        nebius: Sequence[str] | None = None,
        gcp: Sequence[str] | None = None,
        azure: Sequence[str] | None = None,
        scope: str = "read",
    ) -> None:
        folder.mkdir(parents=True)
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.token_file = folder / "token"
        self.token_file.write_text(TOKEN)
        self._folder = folder
        self._config = folder / "quota-oracle.toml"
        secret = folder / "secret"
        secret.write_text(SECRET_ACCESS_KEY)
        key = f'access_key_id = "{ACCESS_KEY_ID}", secret_access_key_file = "{secret}"'
        lines = [
            "[server]",
            f'listen = "127.0.0.1:{self._port}"',
            "[[server.tokens]]",
            'name = "dstack"',
            f'token_file = "{self.token_file}"',
            f'scopes = ["{scope}"]',
            "[aws_protocol]",
            "verify = true",
            f'clients = [{{ {key}, backends = ["aws"] }}]',
            "[[backends]]",
            'name = "aws"',
            'kind = "aws"',
            f"regions = {list(REGIONS)}".replace("'", '"'),
            f'endpoint_url = "{clouds.aws}"',
            f'sts_endpoint_url = "{clouds.aws}"',
            f'credentials = {{ source = "static", {key} }}',
            *aws,
        ]
        for kind, keys in (("nebius", nebius), ("gcp", gcp), ("azure", azure)):
            if keys is not None:
                lines += ["[[backends]]", f'name = "{kind}"', f'kind = "{kind}"', *keys]
        self._config.write_text("\n".join(lines) + "\n")
        self._process: Process | None = None
        self.start()

    @property
    def aws_endpoint(self) -> str:
        """What dstack's `AWS_ENDPOINT_URL_SERVICE_QUOTAS` is set to."""
        return f"{self.url}/aws/aws"

    @property
    def for_the_plugin(self) -> dict[str, str]:
        """The environment of a dstack server whose plugin asks it, with the plugin's defaults."""
        return {"QUOTA_ORACLE_URL": self.url, "QUOTA_ORACLE_TOKEN_FILE": str(self.token_file)}

    def start(self) -> None:
        """Starts it, again on the same port where it ran before."""
        self._process = Process(
            "quota-oracle serve",
            [quota_oracle(), "--config", str(self._config), "serve"],
            self._folder / "serve.log",
            clean_environment(),
        )
        self._process.wait_for_http(self.url + "/healthz")

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()

    def freeze(self) -> None:
        """Lets it hang until it is stopped."""
        assert self._process is not None
        self._process.freeze()

    def wait_until_known(self, backend: str, *regions: str) -> None:
        """Waits until the regions have been read once."""
        assert self._process is not None

        def known() -> bool:
            rows = self.get(f"/quotas/{backend}")["regions"]
            fresh = {row["region"] for row in rows if row["freshness"] == "fresh"}
            return fresh >= set(regions)

        self._process.wait_until(known)

    def wait_until_unavailable(self, region: str, instance_type: str) -> datetime:
        """When a failed launch of the type, on demand, ends to count; waits until it is known."""
        assert self._process is not None
        found: list[str] = []
        path = f"/offers?backend=aws&region={region}&instance_type={instance_type}&spot=false"

        def known() -> bool:
            offers = self.get(path)["offers"]
            found[:] = [
                offer["unavailable"]["until"] for offer in offers if "unavailable" in offer
            ]
            return bool(found)

        self._process.wait_until(known)
        return datetime.fromisoformat(found[0].replace("Z", "+00:00"))

    def reads(self) -> int:
        """How often it read a region of AWS."""
        total = 0.0
        for line in self._text("/metrics").splitlines():
            if line.startswith("quota_oracle_fetches_total{") and 'backend="aws"' in line:
                total += float(line.split()[-1])
        return int(total)

    def get(self, path: str) -> Any:
        response = requests.get(self.url + path, headers=self._headers(), timeout=30)
        assert response.ok, response.text
        return response.json()

    def _text(self, path: str) -> str:
        response = requests.get(self.url + path, headers=self._headers(), timeout=30)
        assert response.ok, response.text
        return response.text

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKEN}"}
