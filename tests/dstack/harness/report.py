"""The figures of a run, with and without the oracle, for the README."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .binary import cache

ROWS = (
    ("calls", "calls to AWS"),
    ("throttled", "of them throttled"),
    ("wrong_projects", "projects with wrong offers"),
    ("plan_seconds_median", "a plan takes (median, s)"),
    ("plan_seconds_worst", "a plan takes (worst, s)"),
    ("dstack_memory_mb", "memory of dstack (MB)"),
    ("offers", "offers in a plan"),
    ("plan_seconds", "the plan takes (s)"),
)


class Report:
    """Collects figures by story and case, and writes them as JSON and Markdown."""

    def __init__(self) -> None:
        self._figures: dict[str, dict[str, dict[str, Any]]] = {}

    def add(self, story: str, case: str, **figures: Any) -> None:
        self._figures.setdefault(story, {})[case] = figures

    def write(self) -> Path | None:
        if not self._figures:
            return None
        folder = cache()
        (folder / "report.json").write_text(json.dumps(self._figures, indent=2) + "\n")
        (folder / "report.md").write_text(self.markdown())
        return folder

    def markdown(self) -> str:
        lines: list[str] = []
        for story, cases in self._figures.items():
            lines += [f"**{story}**", "", "| | " + " | ".join(cases) + " |"]
            lines.append("|---" * (len(cases) + 1) + "|")
            names = dict(ROWS)
            known = [key for key, _ in ROWS] + sorted({k for c in cases.values() for k in c})
            for key in dict.fromkeys(known):
                values = [case.get(key) for case in cases.values()]
                if any(value is not None for value in values):
                    shown = ["-" if value is None else str(value) for value in values]
                    lines.append(f"| {names.get(key, key)} | " + " | ".join(shown) + " |")
            lines.append("")
        return "\n".join(lines)
