"""Google Cloud offers in an unmodified dstack without Google Cloud: only its own calls stand in.

dstack makes its offers from the catalog and asks Compute Engine for the quotas of each region, by
Google's library, which speaks to the real cloud only. So a dstack plugin of ours answers that one
question, with room for every GPU that dstack looks for: each `no_quota` is then the oracle's.
Everything after it is dstack's own.
"""

from __future__ import annotations

from pathlib import Path

REGIONS = ("us-central1", "us-east4", "europe-west4")

PLUGIN = "gcp_calls_of_the_stories"

BACKEND = {
    "type": "gcp",
    "project_id": "simulated-project",
    "regions": list(REGIONS),
    "creds": {"type": "service_account", "data": "{}"},
}

_CODE = f"""
from types import SimpleNamespace

from google.auth.credentials import AnonymousCredentials
from google.cloud import compute_v1

from dstack.plugins import Plugin
from dstack._internal.core.backends.gcp import auth, resources

MODELS = ("A100", "A100_80GB", "L4", "T4", "V100", "P100", "P4", "K80", "H200")


def listed(self, **_):
    metrics = [f"{{before}}NVIDIA_{{model}}_GPUS" for model in MODELS
               for before in ("", "PREEMPTIBLE_")]
    quotas = [SimpleNamespace(metric=metric, limit=1000.0, usage=0.0) for metric in metrics]
    return [SimpleNamespace(name=region, quotas=quotas) for region in {REGIONS!r}]


class ListedRegions(Plugin):
    def __init__(self):
        auth.authenticate = lambda creds, project_id=None: (AnonymousCredentials(), project_id)
        resources.check_vpc = lambda **_: None
        compute_v1.RegionsClient.list = listed
"""


def install(folder: Path) -> str:
    """Writes the plugin as an installed package; gives the folder for `PYTHONPATH`."""
    packages = folder / "packages"
    described = packages / f"{PLUGIN}-1.dist-info"
    described.mkdir(parents=True)
    (packages / f"{PLUGIN}.py").write_text(_CODE)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PLUGIN}\nVersion: 1\n")
    (described / "entry_points.txt").write_text(
        f"[dstack.plugins]\n{PLUGIN} = {PLUGIN}:ListedRegions\n"
    )
    return str(packages)
