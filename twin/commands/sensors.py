"""``twin sensors``: what is measured, and the latest of it."""

from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from layers.store.sensing.datastreams import list_datastreams
from layers.store.sensing.latest import select_latest
from twin.commands.backfill import register_backfill
from twin.commands.devices import register_devices
from twin.commands.lamps import register_lamps
from twin.commands.readings import register_readings
from twin.commands.rejected import register_rejected
from twin.commands.simulate import register_simulate
from twin.commands.state import register_state
from twin.commands.telemetry import register_telemetry
from twin.connect import connect_to_city
from twin.settings import read_settings

sensors = typer.Typer(help="Sensors: their series and latest readings.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(sensors, name="sensors")
    register_telemetry(sensors)
    register_devices(sensors)
    register_rejected(sensors)
    register_backfill(sensors)
    register_readings(sensors)
    register_state(sensors)
    register_lamps(sensors)
    register_simulate(sensors)


@sensors.command("list")
def list_series(as_json: Json = False) -> None:
    """List all series."""
    with connect_to_city(read_settings()).connect() as connection:
        rows = list_datastreams(connection)
    if as_json:
        typer.echo(orjson.dumps([asdict(row) for row in rows]).decode())
        return
    for row in rows:
        typer.echo(f"{row.id:24} {row.sensor_id:14} {row.observed_property:14} {row.unit:8} {row.title_vi}")


@sensors.command("latest")
def latest(
    kind: Annotated[str | None, typer.Option(help="Only sensors of this kind.")] = None, as_json: Json = False
) -> None:
    """Show the latest reading of everything."""
    with connect_to_city(read_settings()).connect() as connection:
        rows = select_latest(connection, kind=kind)
    if as_json:
        typer.echo(orjson.dumps([asdict(row) for row in rows]).decode())
        return
    for row in rows:
        for series in row.datastreams:
            result = "—" if series["result"] is None else f"{series['result']:.3f}"
            typer.echo(
                f"{row.sensor_id:14} {result:>10} {series['unit']:8} {series['phenomenon_time'] or '—'}  {row.name}"
            )
