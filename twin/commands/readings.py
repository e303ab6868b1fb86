"""``twin sensors rollup|quality|flag|correct|retain``: what is done to readings once they are stored."""

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import orjson
import typer

from layers.errors import InputError
from layers.store.sensing.datastreams import list_datastreams, read_datastream
from layers.store.sensing.flags import flag_by_hand
from layers.store.sensing.retention import retire_months
from layers.store.sensing.retesting import retest
from layers.store.sensing.rollups import count_marks, mark_hours, roll_up
from layers.store.sensing.writing import correct_observation
from twin.commands.choosing import read_time
from twin.connect import connect_to_city
from twin.settings import read_settings

Series = Annotated[str, typer.Argument(help="Id of the series, such as S-HAU-01.stage.")]
From = Annotated[str, typer.Option("--from", help="From this moment; without an offset it is UTC.")]
To = Annotated[str | None, typer.Option("--to", help="To this moment; without it, now.")]
Only = Annotated[str | None, typer.Option("--datastream", help="Only this series.")]
Author = Annotated[str | None, typer.Option(help="Who says so; without it the user of this machine.")]
Reason = Annotated[str, typer.Option(help="Why.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register_readings(sensors: typer.Typer) -> None:
    """Add the commands to the family."""
    for name, command in (
        ("rollup", rollup), ("quality", quality), ("flag", flag), ("correct", correct), ("retain", retain),
    ):  # fmt: skip
        sensors.command(name)(command)


def rollup(
    start: Annotated[str | None, typer.Option("--from", help="Compute all hours from this moment on anew.")] = None,
    end: To = None,
    datastream: Only = None,
    as_json: Json = False,
) -> None:
    """Tổng hợp giờ, ngày — compute the hours and days that changed; the worker does it every minute."""
    engine = connect_to_city(read_settings())
    marks = hours = 0
    with engine.begin() as connection:
        if start is not None:
            mark_hours(connection, read_time(start), _read_end(end), datastream)
    free = True
    while True:
        with engine.begin() as connection:
            done = roll_up(connection)
        free &= done.free
        if not done.marks:
            break
        marks, hours = marks + done.marks, hours + done.hours
    with engine.begin() as connection:
        left = count_marks(connection)
    if as_json:
        typer.echo(orjson.dumps({"marks": marks, "hours": hours, "left": left}).decode())
        return
    typer.echo(f"{hours:,} giờ tính lại · hours computed" + ("" if free else "; another process is at it"))


def quality(start: From, end: To = None, datastream: Only = None, as_json: Json = False) -> None:
    """Kiểm tra lại chất lượng — test the readings of a window anew (QARTOD) and store the flags that differ."""
    engine = connect_to_city(read_settings())
    first, last = read_time(start), _read_end(end)
    with engine.begin() as connection:
        series = [read_datastream(connection, datastream)] if datastream else list_datastreams(connection)
    for each in series:
        with engine.begin() as connection:
            done = retest(connection, each.id, first, last)
        if as_json:
            typer.echo(orjson.dumps(asdict(done), option=orjson.OPT_NON_STR_KEYS).decode())
        elif done.tested:
            counts = ", ".join(f"{_FLAGS[quality]} {count:,}" for quality, count in sorted(done.flags.items()))
            typer.echo(f"{done.datastream_id:28} {done.tested:9,} {counts}; {done.changed:,} đổi cờ · changed")


_FLAGS = {
    1: "tốt · good", 2: "chưa xét · not evaluated", 3: "nghi ngờ · suspect", 4: "sai · fail", 9: "thiếu · missing",
}  # fmt: skip


def flag(
    datastream: Series,
    quality: Annotated[int, typer.Argument(help="1 good, 2 not evaluated, 3 suspect, 4 fail.")],
    start: From,
    reason: Reason,
    end: Annotated[str | None, typer.Option("--to", help="To this moment; without it only the one reading.")] = None,
    author: Author = None,
) -> None:
    """Gắn cờ bằng tay — flag readings by hand; the tests leave them alone from then on."""
    first = read_time(start)
    last = read_time(end) if end is not None else first
    with connect_to_city(read_settings()).begin() as connection:
        count = flag_by_hand(
            connection, datastream, first, last, quality, author=author or getpass.getuser(), reason=reason
        )
    typer.echo(f"{count:,} số đo · readings: {_FLAGS[quality]}")


def correct(
    datastream: Series,
    at: Annotated[str, typer.Argument(help="When the reading was taken; without an offset it is UTC.")],
    result: Annotated[float, typer.Argument(help="What it should have been, in the unit of the series.")],
    reason: Reason,
    author: Author = None,
) -> None:
    """Hiệu chỉnh một số đo — put a value beside what was measured; the raw value stays."""
    with connect_to_city(read_settings()).begin() as connection:
        correct_observation(
            connection, datastream, read_time(at), result, author=author or getpass.getuser(), reason=reason
        )
        unit = read_datastream(connection, datastream).unit
    typer.echo(f"{datastream} {read_time(at).isoformat()}: {result:g} {unit}")


def retain(
    months: Annotated[
        int | None, typer.Option(min=1, help="Whole months kept; without it TWIN_RETENTION_MONTHS.")
    ] = None,
) -> None:
    """Lưu trữ tháng cũ — write old months of readings to Parquet files and drop them; roll-ups stay."""
    settings = read_settings()
    keep = months if months is not None else settings.retention_months
    if keep is None:
        raise InputError("all readings are kept", hint="name --months, or set TWIN_RETENTION_MONTHS")
    engine = connect_to_city(settings)
    now = datetime.now(UTC)
    retired = retire_months(engine, settings.readings_dir, keep=keep, now=now)
    for month in retired:
        typer.echo(f"{month.start:%Y-%m}  {month.readings:12,}  {month.path}")
    if not retired:
        typer.echo(f"không có tháng nào quá {keep} tháng · no month is older than {keep} months")


def _read_end(words: str | None) -> datetime:
    return read_time(words) if words is not None else datetime.now(UTC)
