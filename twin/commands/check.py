"""``twin check``: the inventory against its rules, and the data against what must hold whatever happens."""

import sys
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from layers.registry import read_vector_layer
from layers.rules.registry import select_rules
from layers.rules.report import write_report
from layers.store.checks import Checked, check_layer
from twin.commands.choosing import read_bbox
from twin.connect import connect_to_city
from twin.invariants import checking
from twin.invariants.checking import check_invariants, write_invariants
from twin.invariants.registry import select_invariants
from twin.progress import show_progress
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("check")(check)


def check(
    layer: Annotated[str | None, typer.Option(help="Only this layer; see: twin layers.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule.")] = None,
    bbox: Annotated[str | None, typer.Option(help="Only there: west,south,east,north in degrees.")] = None,
    invariants: Annotated[
        bool, typer.Option("--invariants", help="Only what must hold of the data itself: files, versions, history.")
    ] = False,
    invariant: Annotated[str | None, typer.Option(help="Only this invariant.")] = None,
    examples: Annotated[int, typer.Option(min=1, help="Findings to show for each rule.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="Longest time a question of an invariant may take [s].")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Kiểm tra dữ liệu — check the inventory's rules and what must always hold; exit code 1 when there are errors."""
    settings = read_settings()
    engine = connect_to_city(settings)
    # A part of the inventory is asked for its rules, all of it for what must hold too.
    held = [] if (layer or rule or bbox) and not invariants and invariant is None else select_invariants(invariant)
    checked: list[Checked] = []
    if not invariants and invariant is None:
        checked = _check_rules(engine, layer, rule, bbox, examples)
    with show_progress("Bất biến · invariants") as tell:
        found = check_invariants(engine, held, settings.processed_dir, most=examples, within_s=seconds, report=tell)
    if as_json:
        typer.echo(orjson.dumps({**write_report(checked), "invariants": write_invariants(found)}).decode())
    else:
        if checked:
            _print(checked)
        if found:
            _print_invariants(found)
    if any(one.count and one.rule.severity == "error" for one in checked) or any(one.count for one in found):
        raise typer.Exit(1)


def _check_rules(engine: Engine, layer: str | None, rule: str | None, bbox: str | None, examples: int) -> list[Checked]:
    rules = select_rules(layer_id=read_vector_layer(layer).id if layer is not None else None, rule_id=rule)
    bounds = read_bbox(bbox) if bbox is not None else None
    checked: list[Checked] = []
    with engine.connect() as connection, show_progress("Quy tắc · rules") as tell:
        for place, one in enumerate(rules):
            tell(place / len(rules), f"{one.layer}: {one.id}")
            checked.append(check_layer(connection, one, bounds=bounds, limit=examples))
    return checked


def _print(checked: list[Checked]) -> None:
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table("mức · severity", "lớp · layer", "quy tắc · rule", "", box=None, header_style="bold")
    table.add_column("số · count", justify="right")
    broken = [one for one in checked if one.count]
    for one in broken:
        title = f"{one.rule.title.vi} · {one.rule.title.en}"
        style = "red" if one.rule.severity == "error" else "yellow"
        table.add_row(one.rule.severity, one.rule.layer, one.rule.id, title, f"{one.count:,}", style=style)
    if broken:
        console.print(table)
    for one in broken:
        for finding in one.findings:
            where = f" ({finding.place[0]:.6f}, {finding.place[1]:.6f})" if finding.place else ""
            name = f" {finding.name}" if finding.name else ""
            said = f"{finding.reason.vi} · {finding.reason.en}"
            console.print(f"  {finding.layer} {finding.feature}{name}{where}: {said}", highlight=False, markup=False)
    errors = sum(one.count for one in broken if one.rule.severity == "error")
    warnings = sum(one.count for one in broken) - errors
    console.print(f"{len(checked)} quy tắc · rules: {errors:,} lỗi · errors, {warnings:,} cảnh báo · warnings")


def _print_invariants(found: list[checking.Checked]) -> None:
    for one in found:
        title = f"{one.invariant.title.vi} · {one.invariant.title.en}"
        if not one.finished:
            typer.echo(f"? {one.invariant.id:<10} {title}: không kịp · not finished in time, try --seconds")
            continue
        typer.echo(f"{'✗' if one.count else '✓'} {one.invariant.id:<10} {title}{f': {one.count:,}' * bool(one.count)}")
        for breach in one.breaches:
            typer.echo(f"    {breach.place}: {breach.what}")
        if one.count:
            typer.echo(f"    type: {one.invariant.remedy}")
