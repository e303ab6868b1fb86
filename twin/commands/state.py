"""``twin sensors state``: the state of one item, now, then, or in the hours to come."""

from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer

from layers.registry import read_vector_layer
from layers.store.migrate import read_city
from twin.commands.choosing import read_time
from twin.connect import connect_to_city
from twin.settings import read_settings
from twin.state.assets import AssetState, find_state
from twin.state.written import write_state


def register_state(sensors: typer.Typer) -> None:
    """Add the command to the family."""
    sensors.command("state")(state)


def state(
    layer: Annotated[str, typer.Argument(help="Layer of the item, such as drainage_links.")],
    item: Annotated[str, typer.Argument(help="Id of the item.")],
    at: Annotated[str | None, typer.Option(help="The moment asked for, also one to come; without it, now.")] = None,
    known: Annotated[str | None, typer.Option(help="As it was known at this moment.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Trạng thái một đối tượng — pumping? open? lit? at which level? flooded how deep? And what says so."""
    settings = read_settings()
    with connect_to_city(settings).connect() as connection:
        found = find_state(
            connection,
            read_vector_layer(layer),
            item,
            settings.processed_dir,
            zone=ZoneInfo(str(read_city(connection).declaration.get("timezone", "UTC"))),
            at=read_time(at) if at is not None else None,
            known=read_time(known) if known is not None else None,
        )
    if as_json:
        typer.echo(orjson.dumps(write_state(found)).decode())
        return
    for line in _describe(found):
        typer.echo(line)


def _describe(found: AssetState) -> list[str]:
    told = write_state(found)
    value = f": {found.value} {found.unit or ''}".rstrip() if found.value is not None else ""
    lines = [f"{found.layer} {found.item.id} @ {told['at']}", f"{found.title.vi} · {found.title.en}{value}"]
    if found.note is not None:
        lines.append(f"({found.note.vi} · {found.note.en})")
    for each in told["readings"]:
        stale = "  cũ · stale" if each["stale"] else ""
        lines.append(f"  {each['datastream']:28} {each['value']} {each['unit']}  {each['time'] or '—'}{stale}")
    if found.flooding is not None:
        lines.append(f"  ngập · flooded {found.flooding.deepest:.2f} m ({found.flooding.run_id})")
    return lines
