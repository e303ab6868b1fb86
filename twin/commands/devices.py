"""``twin sensors devices``: which devices are declared, and how what they send is read."""

import getpass
from pathlib import Path
from typing import Annotated

import orjson
import typer
import yaml

from layers.errors import InputError, MappingError
from twin.connect import connect_to_city
from twin.sensors.message import FORMATS, Format
from twin.settings import read_settings
from twin.store_telemetry import delete_device, list_devices, upsert_device

devices = typer.Typer(help="Thiết bị — devices: how what they send is read.", no_args_is_help=True)


def register_devices(sensors: typer.Typer) -> None:
    """Add the commands to the family."""
    sensors.add_typer(devices, name="devices")


@devices.command("list")
def list_all(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the declared devices."""
    with connect_to_city(read_settings()).connect() as connection:
        rows = list_devices(connection)
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    for row in rows:
        streams = ", ".join(rule["datastream"] for rule in row["mapping"].get("readings", ()))
        typer.echo(f"{row['id']:24} {row['format']:12} {row['thing_id'] or '—':14} {streams or '—'}")


@devices.command("set")
def declare(
    device: Annotated[str, typer.Argument(help="DevEUI, or the name in the topic.")],
    format_: Annotated[Format, typer.Option("--format", help="What it speaks.")] = "json",
    mapping: Annotated[Path | None, typer.Option(help="Mapping, JSON or YAML: docs/sensors.md.")] = None,
    read: Annotated[
        list[str] | None, typer.Option("--read", help="DATASTREAM=PATH[*FACTOR][+OFFSET], as often as needed.")
    ] = None,
    thing: Annotated[str | None, typer.Option(help="The thing it is part of.")] = None,
    author: Annotated[
        str | None, typer.Option("--by", help="Who does it; the user of this machine if not given.")
    ] = None,
) -> None:
    """Declare a device, or declare it anew."""
    if format_ not in FORMATS:
        raise InputError(f"format '{format_}' is not known", hint=f"one of {', '.join(FORMATS)}")
    document = _read_mapping(mapping, read or [])
    name = device.lower() if len(device) == 16 else device
    with connect_to_city(read_settings()).begin() as connection:
        upsert_device(connection, name, format_, document, thing_id=thing, author=author or getpass.getuser())
    typer.echo(f"{name}: đã khai báo · declared")


@devices.command("remove")
def remove(device: Annotated[str, typer.Argument(help="DevEUI, or the name in the topic.")]) -> None:
    """Forget a device; its readings stay."""
    with connect_to_city(read_settings()).begin() as connection:
        delete_device(connection, device)
    typer.echo(f"{device}: đã xóa · removed")


def _read_mapping(path: Path | None, rules: list[str]) -> object:
    if path is not None and rules:
        raise InputError("give --mapping or --read, not both")
    if path is None:
        return {"readings": [_read_rule(rule) for rule in rules]} if rules else {}
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MappingError(f"{path} cannot be read: {error}") from None


def _read_rule(words: str) -> dict[str, object]:
    datastream, sign, rest = words.partition("=")
    path, _, offset = rest.partition("+")
    path, _, factor = path.partition("*")
    if not sign or not datastream or not path:
        raise InputError(f"'{words}' is not DATASTREAM=PATH[*FACTOR][+OFFSET]", hint="S-1.stage=level*0.001")
    try:
        return {"datastream": datastream, "path": path, "factor": float(factor or 1), "offset": float(offset or 0)}
    except ValueError:
        raise InputError(f"'{words}': factor and offset are numbers") from None
