"""``python -m bench scale``: how time, memory and disk grow with the city, on generated data.

Each case runs at rising sizes. What was measured is kept in ``.run/bench/scale.json`` (``scale-quick.json`` with
``--quick``), so that a run that was ended goes on where it stopped: a size that is there is not measured again unless
``--again``. ``--write`` puts table and picture into ``docs/scale.md`` and ``docs/images/scale.svg``.
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table

from bench import scale_cells, scale_features, scale_graph, scale_history, scale_sensors, scale_workers
from bench.scale_picture import draw_curves
from bench.scale_point import Point

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".run" / "bench"
PAGE, PICTURE = ROOT / "docs" / "scale.md", ROOT / "docs" / "images" / "scale.svg"
BEGIN, END = "<!-- scale:begin -->", "<!-- scale:end -->"
QUICK_S, FULL_S = 180.0, 1800.0


class Case(NamedTuple):
    """What grows, its unit, the sizes of a full and of a quick run, and who measures one size."""

    what: str
    sizes: tuple[int, ...]
    quick: tuple[int, ...]
    measure: Callable[[int], Iterator[Point]]


CASES: dict[str, Case] = {
    "features": Case("features", (100_000, 1_000_000, 10_000_000), (20_000, 100_000), scale_features.measure),
    "history": Case("past versions", (100_000, 1_000_000, 10_000_000), (20_000, 100_000), scale_history.measure),
    "sensors": Case("sensors", (1_000, 10_000, 100_000), (300, 1_000), scale_sensors.measure),
    "cells": Case("cells", (1_000_000, 10_000_000, 100_000_000), (250_000, 1_000_000), scale_cells.measure),
    "graph": Case("streets", (100_000, 300_000, 1_000_000), (30_000, 100_000), scale_graph.measure),
    "workers": Case("workers", (1, 2, 4), (1, 2), scale_workers.measure),
}


@dataclass(frozen=True, slots=True)
class Growth:
    """One curve: its points by size, and the exponent of its growth (1: as fast as what grows)."""

    case: str
    metric: str
    unit: str
    points: tuple[tuple[int, float], ...]

    @property
    def exponent(self) -> float | None:
        """Slope of the logarithms, by least squares; None for fewer than two points."""
        usable = [(size, value) for size, value in self.points if value > 0.0]
        if len({size for size, _ in usable}) < 2:
            return None
        sizes, values = np.log(np.array(usable, dtype=np.float64)).T
        return float(np.polyfit(sizes, values, 1)[0])


def main(arguments: Sequence[str]) -> int:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(prog="bench scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, three minutes")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one; may be repeated")
    parser.add_argument("--again", action="store_true", help="measure what was measured before too")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", action="store_true", help="put table and picture into docs/")
    wanted = parser.parse_args(arguments)
    store = KEPT / ("scale-quick.json" if wanted.quick else "scale.json")
    known: dict[str, Any] = orjson.loads(store.read_bytes()) if store.exists() else {}
    _measure_missing(wanted, store, known)
    points = [Point(**one) for entry in known.values() for one in entry]
    growths = gather(points)
    if wanted.json:
        told = [{**asdict(growth), "exponent": growth.exponent} for growth in growths]
        sys.stdout.write(orjson.dumps({"machine": describe_machine(), "curves": told}).decode() + "\n")
    else:
        _print(growths)
    if wanted.write:
        write_page(growths, PAGE, PICTURE)
    return 0


def _measure_missing(wanted: argparse.Namespace, store: Path, known: dict[str, Any]) -> None:
    began, most = time.monotonic(), QUICK_S if wanted.quick else FULL_S
    for name, size in list_sizes(wanted.case or list(CASES), quick=wanted.quick):
        key = f"{name}/{size}"
        if key in known and not wanted.again:
            continue
        if time.monotonic() - began > most:
            sys.stderr.write(f"bench: {most:.0f} s are over, {key} is left; type the same again to go on\n")
            return
        sys.stderr.write(f"bench: {name}, {size:,} {CASES[name].what}\n")
        known[key] = [asdict(point) for point in CASES[name].measure(size)]
        store.parent.mkdir(parents=True, exist_ok=True)
        store.write_bytes(orjson.dumps(known, option=orjson.OPT_INDENT_2))


def list_sizes(names: Sequence[str], *, quick: bool) -> list[tuple[str, int]]:
    """Return case and size of all that is measured, the smallest of every case first."""
    sizes = {name: CASES[name].quick if quick else CASES[name].sizes for name in names}
    ranks = range(max(map(len, sizes.values())))
    return [(name, own[rank]) for rank in ranks for name, own in sizes.items() if rank < len(own)]


def gather(points: Sequence[Point]) -> list[Growth]:
    """Return the curves of the points, in the order of the cases."""
    found: dict[tuple[str, str, str], list[tuple[int, float]]] = {}
    for point in points:
        found.setdefault((point.case, point.metric, point.unit), []).append((point.size, point.value))
    order = list(CASES)
    keys = sorted(found, key=lambda key: order.index(key[0]))
    return [Growth(*key, tuple(sorted(found[key]))) for key in keys]


def describe_machine() -> str:
    """Return what it was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        os.uname().machine,
    )
    return f"{len(os.sched_getaffinity(0))} cores ({model}), {memory:.0f} GiB"


def write_page(growths: Sequence[Growth], page: Path, picture: Path) -> None:
    """Write the table between the marks of ``page``, and the picture."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(draw_curves([(g.case, g.metric, g.unit, g.points, g.exponent) for g in growths]))
    lines = [f"Measured on {describe_machine()}, by `python -m bench scale`.", ""]
    lines += [f"![Curves]({picture.relative_to(page.parent)})", ""]
    for name, case in CASES.items():
        own = [growth for growth in growths if growth.case == name]
        if not own:
            continue
        sizes = sorted({size for growth in own for size, _ in growth.points})
        lines += [f"| {case.what} | " + " | ".join(f"{size:,}" for size in sizes) + " | grows as |"]
        lines += ["|---|" + "---:|" * (len(sizes) + 1)]
        for growth in own:
            values = dict(growth.points)
            cells = " | ".join(shorten(values[size]) if size in values else "–" for size in sizes)
            lines.append(f"| {growth.metric} [{growth.unit}] | {cells} | {_write_exponent(growth)} |")
        lines.append("")
    text = page.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    page.write_text(f"{head}{BEGIN}\n" + "\n".join(lines) + f"{END}{tail}")


def shorten(value: float) -> str:
    """Return three digits of a value."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def _write_exponent(growth: Growth) -> str:
    return "" if growth.exponent is None else f"n^{growth.exponent:.2f}"


def _print(growths: Sequence[Growth]) -> None:
    table = Table("case", "metric", "by size", "grows as", title=f"scale — {describe_machine()}")
    for growth in growths:
        by_size = ", ".join(f"{size:,}: {shorten(value)}" for size, value in growth.points)
        table.add_row(growth.case, f"{growth.metric} \\[{growth.unit}]", by_size, _write_exponent(growth))
    Console().print(table)
