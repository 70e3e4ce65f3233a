"""Nebius offers in an unmodified dstack without Nebius: only its list of projects stands in.

dstack makes Nebius offers from the catalog, for the regions of the account's projects, and asks
Nebius for those alone. Its SDK speaks to the real cloud only, over TLS. So a dstack plugin of
ours answers that one question; everything after it is dstack's own.
"""

from __future__ import annotations

from pathlib import Path

REGIONS = ("eu-north1", "eu-west1", "us-central1")

PLUGIN = "nebius_projects_of_the_stories"

BACKEND = {
    "type": "nebius",
    "creds": {
        "type": "service_account",
        "service_account_id": "serviceaccount-e00stories",
        "public_key_id": "publickey-e00stories",
        "private_key_content": "not a key",
    },
}

_CODE = f"""
from dstack.plugins import Plugin
from dstack._internal.core.backends.nebius import resources


class ListedProjects(Plugin):
    def __init__(self):
        resources.make_sdk = lambda creds: None
        resources.get_region_to_project_id_map = lambda *_, **__: {{
            region: f"project-e00{{region}}" for region in {REGIONS!r}
        }}
"""


def install(folder: Path) -> str:
    """Writes the plugin as an installed package; gives the folder for `PYTHONPATH`."""
    packages = folder / "packages"
    described = packages / f"{PLUGIN}-1.dist-info"
    described.mkdir(parents=True)
    (packages / f"{PLUGIN}.py").write_text(_CODE)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PLUGIN}\nVersion: 1\n")
    (described / "entry_points.txt").write_text(
        f"[dstack.plugins]\n{PLUGIN} = {PLUGIN}:ListedProjects\n"
    )
    return str(packages)
