"""What a load says at its end: a table of counts, and below it what was found, changed and left out."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from layers.ingest.quality import Diff, LoadReport

_MOST = 8


def print_reports(reports: Iterable[LoadReport]) -> None:
    """Print the counts of every layer, then source by source how the file was read and what became of its rows."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    reports = list(reports)
    console.print(_make_table(reports))
    for source, group in groupby(reports, key=lambda one: one.source):
        for line in _describe_source(source, list(group)):
            console.print(f"  {line}", highlight=False, markup=False)
    if any(one.dry_run for one in reports):
        console.print("  chạy thử, chưa ghi gì · dry run, nothing written")
    elif any(one.quarantined > one.settled for one in reports):
        console.print("  xem · see: twin quarantine list")


def _make_table(reports: Sequence[LoadReport]) -> Table:
    table = Table("nguồn · source", "lớp · layer", box=None, header_style="bold")
    for title in ("đọc · read", "mới · new", "đổi · changed", "giữ · unchanged", "loại · quarantined", "s"):
        table.add_column(title, justify="right")
    told: set[str] = set()
    for one in reports:
        numbers = (one.read, one.loaded - one.changed, one.changed, one.unchanged, one.quarantined)
        shown = ["không đổi · current", "", "", "", ""] if one.is_current else [f"{number:,}" for number in numbers]
        # The layers of a source are loaded together, so they took their time together.
        table.add_row(one.source, one.layer, *shown, "" if one.source in told else f"{one.seconds:.1f}")
        told.add(one.source)
    return table


def _describe_source(source: str, reports: Sequence[LoadReport]) -> Iterator[str]:
    first = reports[0]
    if first.crs:
        yield f"{source}: CRS {first.crs}"
    if first.encoding:
        yield f"{source}: {first.encoding}"
    for note in first.notes:
        yield f"{source}: {note}"
    if first.personal:
        listed = ", ".join(f"{name} ({why})" for name, why in first.personal.items())
        yield f"{source}: bỏ cột cá nhân · personal columns left out: {listed}"
    if first.skipped:
        yield f"{source}: {first.skipped:,} rows of the file went to no layer"
    for one in reports:
        yield from (f"{one.layer}: {line}" for line in _describe_layer(one))


def _describe_layer(report: LoadReport) -> Iterator[str]:
    for what, count in report.conversions.most_common():
        yield f"{count:,} × {what}"
    if report.repaired:
        yield f"{report.repaired:,} × geometry mended"
    if report.ignored_columns:
        yield f"không dùng · columns not used: {', '.join(report.ignored_columns)}"
    for reason, count in report.reasons.most_common(_MOST):
        yield f"loại · rejected {count:,} × {reason}"
    if len(report.reasons) > _MOST:
        yield f"… and {len(report.reasons) - _MOST} more reasons"
    if report.settled:
        yield f"{report.settled:,} of the rejected rows were mended or dismissed before"
    if report.edited:
        yield f"{report.edited:,} features edited by hand are kept, the file differs (--overwrite-edits takes it)"
    yield from _describe_diff(report.diff)
    if report.pruned:
        yield f"{report.pruned:,} stored rows are no longer in the file and are {'to be ' * report.dry_run}removed"
    elif report.gone:
        yield f"{report.gone:,} stored rows are no longer in the file and are kept (--prune removes them)"


def _describe_diff(diff: Diff) -> Iterator[str]:
    if diff.properties:
        yield "đổi · changed: " + ", ".join(f"{name} {count:,}" for name, count in diff.properties.most_common())
    for one in diff.changes:
        yield f"  {one.id}: {one.property}: {_show(one.old)} → {_show(one.new)}"
    for title, ids in (("mới · new", diff.new), ("mất · gone", diff.gone)):
        if ids:
            yield f"{title}: {', '.join(ids)}{' …' if len(ids) == diff.most else ''}"


def _show(value: str | None) -> str:
    return "–" if value is None else value
