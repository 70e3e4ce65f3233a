"""A gpuhunt catalog on loopback, made of the one that the oracle bundles."""

from __future__ import annotations

import csv
import functools
import gzip
import io
import os
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BUNDLED = Path(__file__).parents[3] / "src" / "catalog" / "bundled"

COLUMNS = (
    *("instance_name", "location", "price", "cpu", "memory", "gpu_count", "gpu_name"),
    *("gpu_memory", "spot", "disk_size", "gpu_vendor", "flags", "cpu_arch", "provider_data"),
)
"""gpuhunt's own columns; the bundled files have one more."""

PROVIDERS = ("aws", "azure", "cloudrift", "gcp", "lambdalabs", "nebius", "oci", "runpod", "verda")
"""All that gpuhunt loads; those that are not bundled get an empty catalog."""

SPOT_SHARE = 0.4
"""Stands in for spot prices, which nobody publishes as a list; dstack needs a number."""


class CatalogServer:
    """Serves `{url}/{provider}/version` and `{url}/{provider}/{version}/catalog.zip`."""

    def __init__(self) -> None:
        files: dict[str, bytes] = {}
        for provider in PROVIDERS:
            files[f"/{provider}/version"] = b"1"
            files[f"/{provider}/1/catalog.zip"] = _zipped(provider)
        # Up to dstack 0.21 the address is that of one archive of them all.
        files["/"] = _zipped(*PROVIDERS)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = files.get(self.path)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def rows(provider: str) -> Iterator[dict[str, str]]:
    """The bundled rows of a provider, with a price in each."""
    found = _bundled(provider)
    if found is None:
        return
    listed: dict[tuple[str, str], str] = {}
    with found:
        table = list(csv.DictReader(found))
    for row in table:
        if row["price"] and row["spot"] == "False":
            listed[row["instance_name"], row["location"]] = row["price"]
    for row in table:
        if not row["price"]:
            price = listed.get((row["instance_name"], row["location"]))
            if price is None:
                continue
            row["price"] = f"{float(price) * SPOT_SHARE:.5f}"
        if provider == "gcp":
            # gpuhunt's rows are by zone, and dstack folds them itself.
            row["location"] += "-a"
        yield {name: row[name] for name in COLUMNS}


def _bundled(provider: str) -> io.TextIOBase | None:
    folder = Path(os.environ.get("QUOTA_ORACLE_CATALOG", BUNDLED))
    if (packed := folder / f"{provider}.csv.gz").exists():
        return gzip.open(packed, "rt", newline="")
    if (plain := folder / f"{provider}.csv").exists():
        return plain.open(newline="")
    if provider == "aws":
        raise AssertionError(f"no catalog of {provider} in {folder}")
    return None


def _zipped(*providers: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for provider in providers:
            archive.writestr(f"{provider}.csv", _table(provider))
    return packed.getvalue()


@functools.cache
def _table(provider: str) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows(provider))
    return text.getvalue()
