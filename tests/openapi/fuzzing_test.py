"""Inputs made from the document by schemathesis: the service never fails by them, and answers
nothing that the document does not have."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent

INPUTS = int(os.environ.get("QUOTA_ORACLE_FUZZ_INPUTS", "10000"))
"""How many inputs are tried at least."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)

# A refresh spends calls of the cloud's rate limit, so that thousands of them take an hour.
REFRESH = "^/refresh"
REFRESHES = 5

# A stream has no end that the fuzzer could wait for; document_test.py reads its beginning.
STREAM = "^/events"

LEFT_OUT = f"{REFRESH}|{STREAM}"

LONGEST_SECONDS = 1800.0
"""A run of the fuzzer that takes longer hangs."""


def varied(document: dict[str, Any]) -> int:
    """The number of operations, but those left out, that take something that can be varied."""
    operations = (
        operation
        for path, item in document["paths"].items()
        for operation in item.values()
        if not re.search(LEFT_OUT, path)
    )
    return sum("parameters" in one or "requestBody" in one for one in operations)


def fuzz(demo: str, *arguments: str) -> int:
    """Runs the fuzzer, and returns how many inputs it has made."""
    done = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis",
            *("run", f"{demo}/openapi.json", "--url", demo, "--no-color"),
            *("--checks", ",".join(CHECKS)),
            *("--suppress-health-check", "all"),
            *arguments,
        ],
        cwd=HERE,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "fuzzer_hooks", "PYTHONPATH": str(HERE)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    made = re.search(r"(\d+) generated", said)
    assert made, said
    return int(made[1])


def test_no_input_makes_the_service_fail_or_leave_its_document(
    demo: str, document: dict[str, Any]
) -> None:
    made = fuzz(demo, "--phases", "examples,coverage", "--exclude-path-regex", LEFT_OUT)
    seed = 0
    while made < INPUTS:
        seed += 1
        examples = 1 + (INPUTS - made) // varied(document)
        made += fuzz(
            demo,
            *("--phases", "fuzzing", "--max-examples", str(examples), "--seed", str(seed)),
            *("--exclude-path-regex", LEFT_OUT),
        )
    fuzz(
        demo,
        *("--phases", "fuzzing", "--max-examples", str(REFRESHES), "--seed", "0"),
        *("--include-path-regex", REFRESH),
    )
