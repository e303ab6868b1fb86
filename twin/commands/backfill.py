"""``twin sensors load``: years of readings from a CSV, in pieces, and on from where it stopped."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import typer

from layers.errors import InputError
from twin.connect import connect_to_city
from twin.progress import show_progress
from twin.sensors.backfill import Columns, load_readings
from twin.settings import read_settings


def register_backfill(sensors: typer.Typer) -> None:
    """Add the command to the family."""
    sensors.command("load")(load)


def load(
    file: Annotated[Path, typer.Argument(help="CSV, also .gz: datastream_id, phenomenon_time, result[, quality].")],
    datastream: Annotated[
        str | None, typer.Option(help="All of it is of this series; the file then needs no column of ids.")
    ] = None,
    time: Annotated[str, typer.Option(help="Column of times.")] = "phenomenon_time",
    result: Annotated[str, typer.Option(help="Column of results.")] = "result",
    zone: Annotated[str | None, typer.Option(help="Zone of times that name none, such as Asia/Ho_Chi_Minh.")] = None,
    again: Annotated[bool, typer.Option("--again", help="From the start, also where it was loaded before.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Load readings of years; stopped, it goes on where it was; rows that cannot be read go to the quarantine."""
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise InputError(f"'{zone}' is no time zone", hint="such as Asia/Ho_Chi_Minh") from None
    engine = connect_to_city(read_settings())
    columns = Columns(datastream, time, result, zone)
    with show_progress(f"Load {file.name}"[:44]) as report:
        done = load_readings(engine, file, columns, again=again, follow=report)
    if as_json:
        typer.echo(orjson.dumps(done.as_dict()).decode())
        return
    typer.echo(
        f"{done.read:,} dòng đọc · rows read, {done.new:,} mới · new, {done.changed:,} sửa · corrected, "
        f"{done.unchanged:,} lặp · repeated, {done.rejected:,} bị loại · rejected"
    )
    if done.skipped:
        typer.echo(f"{done.skipped:,} dòng đã nạp trước · rows were loaded before (--again loads them anew)")
