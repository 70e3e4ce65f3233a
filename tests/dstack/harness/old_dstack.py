"""How dstack read AWS quotas before 0.20.17: its own lines, of a release that is not installed."""

from __future__ import annotations

import ast
import logging
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import boto3
import botocore.client
import botocore.exceptions

from .binary import cache

VERSION = "0.20.16"

_MODULE = "dstack/_internal/core/backends/aws/compute.py"
_FUNCTION = "_get_regions_to_quotas"

Reading = Callable[[Any, Sequence[str]], dict[str, dict[str, float]]]


def get_regions_to_quotas() -> Reading:
    """What its AWS offers rest on, taken out: the rest of that release needs other packages."""
    tree = ast.parse(zipfile.ZipFile(_wheel()).read(_MODULE))
    wanted: list[ast.stmt] = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == _FUNCTION
    ]
    assert len(wanted) == 1
    module: dict[str, Any] = {
        "Dict": dict,
        "List": list,
        "ThreadPoolExecutor": ThreadPoolExecutor,
        "as_completed": as_completed,
        "boto3": boto3,
        "botocore": botocore,
        "logger": logging.getLogger(f"dstack {VERSION}"),
    }
    exec(compile(ast.Module(wanted, []), f"dstack {VERSION}", "exec"), module)
    found: Reading = module[_FUNCTION]
    return found


def _wheel() -> str:
    folder = cache() / f"dstack-{VERSION}"
    if not list(folder.glob("*.whl")):
        print(f"fetching dstack {VERSION} into {folder}")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command = [*pip, "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
        subprocess.run([*command, f"dstack=={VERSION}"], check=True, timeout=300)
    return str(next(folder.glob("*.whl")))
