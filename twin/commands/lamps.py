"""``twin sensors lamps``: when lamps are lit where no controller says it."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from layers.errors import InputError
from layers.store.lamps import EVERYWHERE, declare_calendar, select_calendars
from twin.commands.choosing import read_time
from twin.connect import connect_to_city
from twin.lighting.documents import read_lamp_document
from twin.settings import read_settings


def register_lamps(sensors: typer.Typer) -> None:
    """Add the command to the family."""
    sensors.command("lamps")(lamps)


def lamps(
    file: Annotated[
        Path | None, typer.Argument(help="JSON: programs, usual, weekdays, days. Without it, show what is in force.")
    ] = None,
    cabinet: Annotated[str, typer.Option(help="Only the lamps of this cabinet; without it, all others.")] = EVERYWHERE,
    start: Annotated[str | None, typer.Option("--from", help="In force from this moment on; without it, now.")] = None,
    reason: Annotated[str, typer.Option(help="Who decided it.")] = "",
    author: Annotated[str | None, typer.Option(help="Who says so; without it the user of this machine.")] = None,
) -> None:
    """Lịch chiếu sáng — declare or show the control programs and the calendar of street lights."""
    moment = read_time(start) if start is not None else datetime.now(UTC)
    engine = connect_to_city(read_settings())
    if file is None:
        with engine.connect() as connection:
            typer.echo(orjson.dumps(select_calendars(connection, moment), option=orjson.OPT_INDENT_2).decode())
        return
    try:
        document = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(f"file '{file}' cannot be read: {error}") from error
    calendar = read_lamp_document(document)
    with engine.begin() as connection:
        declare_calendar(
            connection, cabinet, document, valid_from=moment, author=author or getpass.getuser(), reason=reason
        )
    count = len({calendar.usual.id, *(each.id for each in (*calendar.weekdays.values(), *calendar.days.values()))})
    typer.echo(f"{count} chương trình từ · programs from {moment.isoformat(timespec='seconds')}")
