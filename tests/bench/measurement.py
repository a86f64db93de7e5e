"""What a measurement is, how its runs become a table, and where they are kept."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / ".run" / "bench.json"
RUNS = 5


def runs() -> int:
    """How often each measurement is taken; `BENCH_RUNS` is for trying out a benchmark."""
    return int(os.environ.get("BENCH_RUNS", RUNS))


class NotMeasured(Exception):
    """A benchmark could not be run; the text says why."""


@dataclass
class Measurement:
    """Runs of ours and, where there is one, of the same work done by hand in the same session, in `unit`."""

    name: str
    unit: str
    goal: str
    ours: list[float] = field(default_factory=list)
    by_hand: list[float] | None = None

    @property
    def ratio(self) -> float | None:
        """Median of ours divided by the median by hand."""
        return statistics.median(self.ours) / statistics.median(self.by_hand) if self.by_hand else None

    def as_row(self) -> dict[str, object]:
        """The form in which it is kept."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": [round(value, 6) for value in self.ours],
            "by_hand": [round(value, 6) for value in self.by_hand] if self.by_hand else None,
            "ratio": round(self.ratio, 4) if self.ratio is not None else None,
            "goal": self.goal,
        }


_benchmarks: dict[str, Callable[[], list[Measurement]]] = {}


def benchmark(function: Callable[[], list[Measurement]]) -> Callable[[], list[Measurement]]:
    """Makes a function known under its name; it returns one or more measurements."""
    _benchmarks[function.__name__] = function
    return function


def all_benchmarks() -> dict[str, Callable[[], list[Measurement]]]:
    """All benchmarks by name."""
    return dict(_benchmarks)


def percentile(values: list[float], percent: int) -> float:
    """The value below which `percent` of the values lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def keep(measurements: list[Measurement]) -> None:
    """Writes the runs, in place of older ones of the same names."""
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    names = {measurement.name for measurement in measurements}
    rows = [row for row in rows if row["name"] not in names] + [measurement.as_row() for measurement in measurements]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=2) + "\n")


def table(measurements: list[Measurement]) -> str:
    """Median and spread of ours, the median by hand, the ratio and the goal, one measurement a line."""
    lines = [f"{'name':<24}{'ours (median, min–max)':<44}{'by hand':<14}{'ratio':<10}goal"]
    for item in measurements:
        ours = (
            f"{_figure(statistics.median(item.ours))} ({_figure(min(item.ours))}–{_figure(max(item.ours))}) {item.unit}"
        )
        by_hand = f"{_figure(statistics.median(item.by_hand))} {item.unit}" if item.by_hand else "–"
        ratio = f"{item.ratio:.3g}" if item.ratio is not None else "–"
        lines.append(f"{item.name:<24}{ours:<44}{by_hand:<14}{ratio:<10}{item.goal}")
    return "\n".join(lines)


def _figure(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
