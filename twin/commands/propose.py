"""``twin load PATH --propose``: write a mapping for a file and show what it would make of the first rows."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from layers.ingest.mapping import read_mapping
from layers.ingest.proposal.draft import Draft, write_draft
from layers.ingest.proposal.propose import propose_mapping
from layers.ingest.sample import Preview, find_beside, preview_rows, read_sample
from layers.store.area import CityArea

_MOST_COLUMNS = 9


def propose(
    path: Path,
    *,
    layer: str = "",
    to: Path | None = None,
    table: str | None = None,
    crs: str | None = None,
    encoding: str | None = None,
    as_json: bool = False,
    find_area: Callable[[], CityArea | None] = lambda: None,
) -> None:
    """Write a proposed mapping beside the file, or to ``to``, and print what it would make of the first rows.

    ``find_area`` gives the city, asked only where the file's CRS must be sought. InputError names a mapping that is
    there already: someone may have reviewed it.
    """
    target = to or find_beside(path, table)
    if target.exists():
        raise InputError(f"{target} exists and may have been reviewed", hint="delete it, or give another with --to")
    raw, text = read_sample(path, table=table, encoding=encoding)
    draft = propose_mapping(raw, path, layer_id=layer or None, table=table, find_area=find_area)
    try:
        target.write_text(write_draft(draft), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror}") from error
    mapping = read_mapping(target)
    previews, problem = list[Preview](), None
    if draft.crs and mapping.crs is None and crs is None:
        problem = f"{path} does not say its CRS: choose one of those listed in the mapping, or give it with --crs"
    else:
        try:
            previews = preview_rows(raw, mapping, path, crs=crs)
        except InputError as error:
            problem = str(error)
    if as_json:
        made = {
            "mapping": str(target),
            "text": text,
            "draft": draft.as_dict(),
            "preview": [{"layer": one.layer, "rows": one.rows, "rejected": one.rejected} for one in previews],
            "problem": problem,
        }
        typer.echo(orjson.dumps(made).decode())
    else:
        _print(draft, target, previews, problem)


def _print(draft: Draft, target: Path, previews: list[Preview], problem: str | None) -> None:
    console = Console(width=None if sys.stdout.isatty() else 140)
    sure = sum(line.is_sure for line in draft.lines)
    others = ", ".join(f"{name} {share:.0%}" for name, share in draft.ranking[1:])
    console.print(f"lớp · layer: [bold]{draft.layer.id}[/bold] {draft.layer_guess.confidence:.0%}; {others}")
    table = Table("thuộc tính · property", "cột · column", "tin cậy · sure", "vì · why", box=None, header_style="bold")
    for line in draft.lines:
        mark = "" if line.is_sure else "  # "
        words = ", ".join(f"{word} {guess.value}" for word, guess in line.parts.items() if word in ("unit", "nodata"))
        why = f"{line.why}{'; ' if words else ''}{words}"
        table.add_row(mark + line.name, ", ".join(line.columns), f"{line.confidence:.2f}", why[:70])
    console.print(table, highlight=False)
    left = len(draft.unmapped)
    console.print(f"{sure} thuộc tính · properties, {left} cột chưa dùng · columns not mapped", highlight=False)
    for one in previews:
        console.print(_show_rows(one))
        for row, reason in one.rejected:
            console.print(f"  dòng · row {row}: {reason}", highlight=False, markup=False)
    if problem:
        console.print(f"  {problem}", highlight=False, markup=False)
    for name in draft.missing:
        console.print(f"  thiếu · missing: {name} is required and no column was found", highlight=False, markup=False)
    console.print(f"xem lại · review: {target}", highlight=False, markup=False, soft_wrap=True)
    console.print(f"rồi nạp · then: twin load {draft.file} --dry-run", highlight=False, markup=False, soft_wrap=True)


def _show_rows(preview: Preview) -> Table:
    """Return the rows of a preview as a table of the columns that hold something."""
    filled: dict[str, Any] = {name: None for row in preview.rows for name, value in row.items() if value is not None}
    names = list(filled)[:_MOST_COLUMNS]
    table = Table(*names, title=preview.layer, header_style="bold")
    for row in preview.rows:
        table.add_row(*("" if row.get(name) is None else str(row[name])[:24] for name in names))
    return table
