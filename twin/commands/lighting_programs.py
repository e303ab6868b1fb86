"""``twin lighting programs``: control programs, calendars and overrides of lamps, in the words of TALQ."""

import getpass
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.lamps import EVERYWHERE, declare_calendar, select_calendars, select_feeds
from layers.store.migrate import read_city
from layers.store.sensing.state import select_places
from twin.commands.choosing import read_time
from twin.connect import connect_to_city
from twin.lighting.documents import list_assignments, read_lamp_document, split_document
from twin.lighting.overriding import add_override
from twin.lighting.talq_writing import write_talq
from twin.settings import read_settings
from twin.state.programs import Feed, read_programs

programs = typer.Typer(
    help="Chương trình chiếu sáng — control programs of lamps: import, list, at, override, export.",
    no_args_is_help=True,
)
Reason = Annotated[str, typer.Option(help="Who decided it.")]
From = Annotated[str | None, typer.Option("--from", help="In force from this moment on; without it, now.")]
MOST_SHOWN = 1_000_000


def register_programs(lighting: typer.Typer) -> None:
    """Add the family to ``twin lighting``."""
    lighting.add_typer(programs, name="programs")


@programs.command("import")
def import_document(
    file: Annotated[Path, typer.Argument(help="JSON: controlPrograms, calendars, groups … of TALQ.")],
    calendar: Annotated[str | None, typer.Option(help="Which calendar, where there are several.")] = None,
    cabinet: Annotated[
        list[str] | None, typer.Option(help="Cabinets that follow it; repeat. Without it, the file's.")
    ] = None,
    start: From = None,
    reason: Reason = "",
) -> None:
    """Nạp chương trình, lịch — declare the calendars of a TALQ document, by the cabinets they are assigned to."""
    try:
        document = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(f"file '{file}' cannot be read: {error}") from error
    kept = split_document(document)
    if calendar is not None and calendar not in kept:
        raise NotFoundError(f"the file has no calendar '{calendar}'", hint=f"one of {', '.join(kept)}")
    chosen = {calendar: kept[calendar]} if calendar is not None else kept
    assigned = list_assignments(document)
    moment = read_time(start) if start is not None else datetime.now(UTC)
    with connect_to_city(read_settings()).begin() as connection:
        count = 0
        for name, one in chosen.items():
            for place in cabinet or assigned.get(name) or ([EVERYWHERE] if len(chosen) == 1 else []):
                declare_calendar(connection, place, one, valid_from=moment, author=getpass.getuser(), reason=reason)
                count += 1
        if not count:
            raise InputError("no cabinet follows these calendars", hint="--calendar ID, or assignCommands in the file")
    typer.echo(f"{count} lịch từ · calendars from {moment.isoformat(timespec='seconds')}")


@programs.command("list")
def list_programs(
    at: Annotated[str | None, typer.Option(help="In force at this time; without it, now.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Các lịch đang có hiệu lực — the calendars in force, by cabinet."""
    moment = read_time(at) if at is not None else datetime.now(UTC)
    with connect_to_city(read_settings()).connect() as connection:
        found = select_calendars(connection, moment)
    if as_json:
        typer.echo(orjson.dumps(found).decode())
        return
    table = Table("tủ · cabinet", "chương trình · usual program", "quy tắc · rules", "lệnh · overrides")
    for cabinet, document in sorted(found.items()):
        calendar = read_lamp_document(document)
        rules = len(calendar.rules) + len(calendar.days) + len(calendar.weekdays)
        table.add_row(cabinet or "(tất cả · all)", calendar.usual.id, str(rules), str(len(calendar.overrides)))
    Console().print(table)


@programs.command("at")
def show_levels(
    time: Annotated[str, typer.Argument(help="When, such as 2027-02-05T19:00+07:00.")],
    lamp: Annotated[list[str] | None, typer.Option(help="Only these lamps; repeat.")] = None,
    by_circuit: Annotated[bool, typer.Option("--circuits", help="The level of each circuit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Mức sáng theo chương trình lúc đó — the level of lamps by their programs at a time."""
    moment = read_time(time)
    settings = read_settings()
    with connect_to_city(settings).connect() as connection:
        levels = _find_levels(connection, moment, lamp)
        if by_circuit:
            levels = _average_circuits(levels, select_feeds(connection, list(levels)))
    if as_json:
        typer.echo(orjson.dumps(levels).decode())
        return
    if lamp or by_circuit:
        for name, level in levels.items():
            typer.echo(f"{name}  {100 * level:.0f} %")
        return
    table = Table("mức · level", "đèn · lamps")
    for level in sorted(set(levels.values()), reverse=True):
        table.add_row(f"{100 * level:.0f} %", str(sum(each == level for each in levels.values())))
    Console().print(table)


@programs.command("override")
def override(
    level: Annotated[float, typer.Argument(help="Level in per cent; 0 is off.")],
    address: Annotated[list[str], typer.Option(help="Lamp, circuit or cabinet it is sent to; repeat.")],
    start: From = None,
    until: Annotated[str | None, typer.Option(help="When it ends; without it, when it is taken back.")] = None,
    reason: Reason = "",
) -> None:
    """Lệnh bật, tắt, tiết giảm ngoài lịch — an override command, before all programs while it lasts."""
    moment = read_time(start) if start is not None else datetime.now(UTC)
    end = read_time(until) if until is not None else None
    with connect_to_city(read_settings()).begin() as connection:
        count = add_override(
            connection, address, level / 100.0, start=moment, expiration=end, author=getpass.getuser(), reason=reason
        )
    typer.echo(f"{count} lịch có lệnh mới · calendars with the command")


@programs.command("export")
def export(
    at: Annotated[str | None, typer.Option(help="In force at this time; without it, now.")] = None,
) -> None:
    """Xuất thành tài liệu TALQ — print all calendars in force as one TALQ document."""
    moment = read_time(at) if at is not None else datetime.now(UTC)
    with connect_to_city(read_settings()).connect() as connection:
        found = write_talq(select_calendars(connection, moment))
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())


def _average_circuits(levels: Mapping[str, float], feeds: Mapping[str, Feed]) -> dict[str, float]:
    """Return the mean level of the lamps of each circuit that they name."""
    found: dict[str, list[float]] = {}
    for lamp, level in levels.items():
        circuit = feeds.get(lamp, (None, None))[1]
        if circuit is not None:
            found.setdefault(circuit, []).append(level)
    return {name: sum(each) / len(each) for name, each in sorted(found.items())}


def _find_levels(connection: Connection, moment: datetime, lamps: list[str] | None) -> dict[str, float]:
    from_city = read_city(connection)
    zone = ZoneInfo(str(from_city.declaration.get("timezone") or "UTC"))
    places = select_places(connection, read_vector_layer("luminaires"), items=lamps, bbox=None, limit=MOST_SHOWN)
    found = read_programs(connection, "luminaires", [place.id for place in places], moment, zone)
    missing = sorted(set(lamps or ()) - {place.id for place in places})
    if missing:
        raise NotFoundError(f"there is no luminaire '{missing[0][:80]}'")
    return {place.id: found.find_level(place) for place in places}
