"""Asks quota-oracle over HTTP and gpuhunt in process the same questions of the same catalog.

    cargo build --release
    pip install gpuhunt
    python benches/compare_gpuhunt.py [--binary target/release/quota-oracle] [--seconds 3]

gpuhunt answers what can be rented; the oracle's answer also says whether it can be launched. The
client is Python too and shares the machine, so the oracle's throughput is a lower bound.
"""

import argparse
import csv
import gzip
import http.client
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
BUNDLED = REPOSITORY / "src/catalog/bundled/aws.csv.gz"

# What it is called, how the oracle is asked, how gpuhunt is asked.
QUESTIONS = [
    (
        "H100, 8 or more",
        "/offers?limit=0&gpu=H100&min_gpu_count=8",
        {"gpu_name": "H100", "min_gpu_count": 8},
    ),
    (
        "NVIDIA, on-demand, up to $2",
        "/offers?limit=0&gpu_vendor=nvidia&spot=false&max_price=2",
        {"gpu_vendor": "nvidia", "min_gpu_count": 1, "spot": False, "max_price": 2.0},
    ),
    (
        "64 CPUs or more, on-demand",
        "/offers?limit=0&min_cpus=64&spot=false",
        {"min_cpu": 64, "spot": False},
    ),
]


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        regions = unpack(folder)
        rows = [row for ask in (gpuhunt_rows, oracle_rows) for row in ask(arguments, folder, regions)]
    print_table(rows)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    parser.add_argument("--binary", type=pathlib.Path, default=target / "release/quota-oracle")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each question")
    parser.add_argument("--clients", type=int, default=os.cpu_count(), help="at once")
    return parser.parse_args()


def unpack(folder):
    """Writes the catalog where both can read it; tells its regions.

    Rows without a price are left out, as gpuhunt takes none.
    """
    with gzip.open(BUNDLED, "rt", newline="") as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if row["price"]]
    with open(folder / "aws.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, reader.fieldnames, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return sorted({row["location"] for row in rows})


def gpuhunt_rows(arguments, folder, regions):
    os.environ["GPUHUNT_CATALOG_DIR"] = str(folder)
    # Nothing is fetched with auto_reload off; should that change, it must not be from the internet.
    os.environ["GPUHUNT_CATALOG_URL"] = folder.as_uri()
    import gpuhunt
    from gpuhunt._internal import catalog as internal
    from gpuhunt._internal import storage

    from_directory = gpuhunt.Catalog(balance_resources=False, auto_reload=False)
    in_memory = gpuhunt.Catalog(balance_resources=False, auto_reload=False)
    with open(folder / "aws.csv", newline="") as file:
        items = list(storage.load(file, provider="aws"))
    in_memory.catalog["aws"] = internal.ProviderCatalog(version="1", items=items)
    in_memory.loaded_at = time.monotonic()

    for name, catalog in [("gpuhunt, directory", from_directory), ("gpuhunt, memory", in_memory)]:
        if catalog is in_memory:
            del os.environ["GPUHUNT_CATALOG_DIR"]
        for question, _, query in QUESTIONS:
            took = []
            started = time.perf_counter()
            while not took or time.perf_counter() - started < arguments.seconds:
                before = time.perf_counter()
                found = len(catalog.query(provider="aws", **query))
                took.append(time.perf_counter() - before)
            yield question, name, found, took, time.perf_counter() - started


def oracle_rows(arguments, folder, regions):
    with running(arguments.binary, "simulate") as simulated:
        url = simulated.stdout.readline().split()[1]
        port = free_port()
        config = folder / "quota-oracle.toml"
        config.write_text(configuration(folder, regions, url, port))
        with running(arguments.binary, "--config", str(config), "serve"):
            wait_until_ready(port)
            with ProcessPoolExecutor(arguments.clients) as clients:
                for question, path, _ in QUESTIONS:
                    jobs = [
                        clients.submit(ask, port, path, arguments.seconds)
                        for _ in range(arguments.clients)
                    ]
                    answers = [job.result() for job in jobs]
                    took = [one for _, took in answers for one in took]
                    yield question, "quota-oracle, HTTP", answers[0][0], took, arguments.seconds


def configuration(folder, regions, url, port):
    # The example key of AWS's documentation, which the simulated account has.
    secret = folder / "secret"
    secret.write_text("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    return f"""
[server]
listen = "127.0.0.1:{port}"
[catalog]
source = {json.dumps(str(folder))}
[[backends]]
name = "aws"
kind = "aws"
regions = {json.dumps(regions)}
endpoint_url = {json.dumps(url)}
[backends.credentials]
source = "static"
access_key_id = "AKIAIOSFODNN7EXAMPLE"
secret_access_key_file = {json.dumps(str(secret))}
"""


class running:
    """A process that ends with the block."""

    def __init__(self, *command):
        self.command = [str(part) for part in command]

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        return self.process

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until_ready(port):
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit("quota-oracle was not ready within a minute")


def ask(port, path, seconds):
    """Asks over one connection for some time; tells how many offers came and how long each took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    took = []
    body = b""
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        before = time.perf_counter()
        connection.request("GET", path)
        body = connection.getresponse().read()
        took.append(time.perf_counter() - before)
    return len(json.loads(body)["offers"]), took


def print_table(rows):
    print(f"{'question':30} {'asked':20} {'offers':>7} {'median ms':>10} {'p99 ms':>9} {'per second':>11}")
    for question, name, found, took, seconds in rows:
        median = statistics.median(took) * 1000
        p99 = sorted(took)[int(len(took) * 0.99)] * 1000
        rate = len(took) / seconds
        print(f"{question:30} {name:20} {found:7} {median:10.3f} {p99:9.3f} {rate:11.1f}")


if __name__ == "__main__":
    main()
