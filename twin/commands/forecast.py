"""``twin forecast``: issue, list and verify the forecasts of the gauges; take in a supplied one; the loop."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from layers.errors import InputError
from twin.connect import connect_to_city
from twin.forecasts.issuing import issue_all
from twin.forecasts.loop import read_loop_words, turn_loop
from twin.forecasts.models import ModelShelf
from twin.forecasts.supplied import keep_supplied
from twin.forecasts.verifying import verify_gauge
from twin.forecasts.writing import write_issue, write_peak, write_skill
from twin.settings import read_settings
from twin.store_forecasts import find_gauge, list_newest, read_values

forecast = typer.Typer(
    help="Dự báo mực nước — forecasts: issue, list, skill, rain, loop from readings to floods.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Series = Annotated[str, typer.Argument(metavar="DATASTREAM", help="Id of a series.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(forecast, name="forecast")


@forecast.command("issue")
def issue(
    series: Annotated[list[str] | None, typer.Argument(metavar="DATASTREAM…", help="Only these series.")] = None,
    at: Annotated[str | None, typer.Option(help="Issue time (RFC 3339); now if not given.")] = None,
    as_json: Json = False,
) -> None:
    """Issue the forecast of every stage gauge for the last whole ten minutes, and keep it."""
    moment = datetime.now(UTC) if at is None else parse_time(at)
    made = issue_all(connect_to_city(read_settings()), ModelShelf(), moment, series=series)
    if as_json:
        typer.echo(orjson.dumps(made).decode())
        return
    for one in made:
        typer.echo(
            f"{one.datastream_id:24} {one.issue_time:%Y-%m-%d %H:%M}Z {one.model:18} {'new' if one.new else '='}"
        )


@forecast.command("list")
def list_all(as_json: Json = False) -> None:
    """List the newest forecast of every series, with its highest median."""
    with connect_to_city(read_settings()).connect() as connection:
        rows = [(one, read_values(connection, one.id)) for one in list_newest(connection)]
    if as_json:
        typer.echo(orjson.dumps([{**write_issue(one), "peak": write_peak(values)} for one, values in rows]).decode())
        return
    for one, values in rows:
        peak = write_peak(values)
        typer.echo(
            f"{one.datastream_id:24} {one.issue_time:%Y-%m-%d %H:%M}Z {one.model:18} "
            f"{peak['stage']:.2f} ({peak['lower']:.2f}–{peak['upper']:.2f}) {peak['time']}"
        )


@forecast.command("skill")
def skill(
    series: Series,
    days: Annotated[float, typer.Option(min=0.1, max=3660.0, help="How many days back [d].")] = 30.0,
    as_json: Json = False,
) -> None:
    """Hold what was issued to what came."""
    with connect_to_city(read_settings()).connect() as connection:
        found = verify_gauge(connection, find_gauge(connection, series), days=days)
    if as_json:
        typer.echo(orjson.dumps(write_skill(found)).decode())
        return
    typer.echo("  lead  issues   RMSE  persistence   tide    bias   CRPS  10-90 %   POD   FAR")
    for one in found.leads:
        pod, far = (one.warned.pod, one.warned.far) if one.warned else (float("nan"), float("nan"))
        typer.echo(
            f"{one.lead / 3600.0:4.0f} h {one.count:7d} {one.rmse:6.3f} {_show(one.rmse_persistence)} "
            f"{_show(one.rmse_tide)} {one.bias:+7.3f} {one.crps:6.3f} {one.inside:7.0%} {pod:7.2f} {far:5.2f}"
        )


@forecast.command("rain")
def rain(
    series: Series,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="CSV (time, mm, quantile or member) or NetCDF.")],
    issued: Annotated[
        str | None, typer.Option(help="When it was issued (RFC 3339); its first step if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Keep a rain forecast that somebody else made, as the issue of a series of rainfall."""
    moment = None if issued is None else parse_time(issued)
    with connect_to_city(read_settings()).begin() as connection:
        kept = keep_supplied(connection, series, path, issue_time=moment)
    if as_json:
        typer.echo(orjson.dumps(kept).decode())
        return
    typer.echo(f"{kept.datastream_id} {kept.issue_time:%Y-%m-%d %H:%M}Z {'new' if kept.new else 'known already'}")


@forecast.command("loop")
def loop(
    once: Annotated[bool, typer.Option("--once", help="Turn it once here, the flood run included.")] = False,
    as_json: Json = False,
) -> None:
    """Say how the loop from readings to floods stands; with --once, turn it first."""
    settings = read_settings()
    engine = connect_to_city(settings)
    if once:
        turn_loop(engine, settings, ModelShelf(), datetime.now(UTC), here=True)
    words = read_loop_words(engine)
    if as_json:
        typer.echo(orjson.dumps(words).decode())
        return
    for name, value in (words or {"loop": "chưa chạy lần nào — never turned yet"}).items():
        if value is not None:
            typer.echo(f"{name:15} {value}")


def parse_time(words: str) -> datetime:
    """Return the moment of RFC 3339 words; InputError where they are none or name no zone."""
    try:
        moment = datetime.fromisoformat(words)
    except ValueError as error:
        raise InputError(f"time '{words}' is not RFC 3339", hint="such as 2026-11-20T06:00:00Z") from error
    if moment.tzinfo is None:
        raise InputError(f"time '{words}' names no time zone", hint="end it with Z or +07:00")
    return moment


def _show(value: float | None) -> str:
    return "      —" if value is None else f"{value:7.3f}"
