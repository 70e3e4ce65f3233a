"""Azure offers in an unmodified dstack: its own calls go to the simulated Azure.

dstack asks Azure for the sizes of each location, by Microsoft's library, and calls a size that is
restricted there `no_quota`; it never asks for a quota. A dstack plugin of ours gives that library
the simulation's address, which is plain HTTP, and signs in there; what a backend is checked and
prepared with when it is added is left out. Everything else is dstack's own.
"""

from __future__ import annotations

from pathlib import Path

LOCATIONS = ("eastus", "eastus2", "westus3", "swedencentral")

PLUGIN = "azure_calls_of_the_stories"

SUBSCRIPTION = "1f2e3d4c-0000-4000-8000-0000000000bb"
TENANT = "5c0f1e2d-0000-4000-8000-0000000000aa"
CLIENT = "8a9b7c6d-0000-4000-8000-0000000000cc"
SECRET = "sim8Q~simulated-client-secret-value"
"""The simulation's own; they open nothing else."""

BACKEND = {
    "type": "azure",
    "tenant_id": TENANT,
    "subscription_id": SUBSCRIPTION,
    "resource_group": "stories",
    "regions": list(LOCATIONS),
    "creds": {"type": "client", "client_id": CLIENT, "client_secret": SECRET},
}

_CODE = """
import time

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import _authentication
from azure.mgmt.compute import ComputeManagementClient

from dstack.plugins import Plugin
from dstack._internal.core.backends.azure import auth, compute, configurator

URL = {url!r}


class Credential:
    def __init__(self, creds):
        self.creds = creds

    def get_token(self, *scopes, **_):
        form = {{
            "grant_type": "client_credentials",
            "client_id": self.creds.client_id,
            "client_secret": self.creds.client_secret,
            "scope": "https://management.azure.com/.default",
        }}
        url = f"{{URL}}/{{self.creds.tenant_id}}/oauth2/v2.0/token"
        answer = requests.post(url, data=form, timeout=10).json()
        return AccessToken(answer["access_token"], int(time.time()) + answer["expires_in"])


class Client(ComputeManagementClient):
    def __init__(self, credential, subscription_id):
        super().__init__(credential, subscription_id, base_url=URL)


class SimulatedAzure(Plugin):
    def __init__(self):
        # The library sends no token over plain HTTP, which is all that the simulation speaks.
        _authentication._enforce_https = lambda request: None
        compute.compute_mgmt.ComputeManagementClient = Client
        auth.authenticate = lambda creds: (Credential(creds), creds.tenant_id)
        Configurator = configurator.AzureConfigurator
        Configurator.validate_config = lambda *_, **__: None
        Configurator._create_network_resources = lambda *_, **__: None
"""


def settings(url: str, secret_file: Path) -> list[str]:
    """The backend of the oracle that reads the simulated subscription."""
    secret_file.write_text(SECRET)
    credentials = f'client_id = "{CLIENT}", client_secret_file = "{secret_file}"'
    endpoints = ", ".join(f'{name} = "{url}"' for name in ("management", "authority", "metadata"))
    return [
        f'subscription = "{SUBSCRIPTION}"',
        f'tenant = "{TENANT}"',
        f'credentials = {{ source = "client_secret", {credentials} }}',
        f"endpoints = {{ {endpoints} }}",
        f"regions = {list(LOCATIONS)}".replace("'", '"'),
    ]


def install(folder: Path, url: str) -> str:
    """Writes the plugin as an installed package; gives the folder for `PYTHONPATH`."""
    packages = folder / "packages"
    described = packages / f"{PLUGIN}-1.dist-info"
    described.mkdir(parents=True)
    (packages / f"{PLUGIN}.py").write_text(_CODE.format(url=url))
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PLUGIN}\nVersion: 1\n")
    (described / "entry_points.txt").write_text(
        f"[dstack.plugins]\n{PLUGIN} = {PLUGIN}:SimulatedAzure\n"
    )
    return str(packages)
