"""``twin transit realtime`` and ``twin transit departures``: live messages kept, and what leaves a stop next."""

import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer

from layers.errors import InputError, SourceError
from layers.ingest.fetch import is_url
from twin.connect import connect_to_city
from twin.settings import read_settings
from twin.store_transit import read_feed_row
from twin.store_transit_realtime import LASTING, MessageRow, select_entities
from twin.transit.departures import list_departures
from twin.transit.feed import CityFeed
from twin.transit.polling import take_message
from twin.transit.warm import read_warm_feed

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_live(family: typer.Typer) -> None:
    """Add the commands to the family."""
    family.command("realtime")(take_realtime)
    family.command("departures")(show_departures)


def take_realtime(
    origin: Annotated[str, typer.Argument(help="A protobuf file of GTFS Realtime, or an http(s) address.")],
    feed_id: Annotated[str, typer.Option("--feed", help="The feed it is about.")],
    every: Annotated[
        float | None,
        typer.Option(min=5.0, max=3600.0, help="Ask the address again every so many seconds, until Ctrl-C."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Nhận dữ liệu thời gian thực — keep positions, delays, alerts, modifications; say what the feed does not know."""
    settings = read_settings()
    engine = connect_to_city(settings)
    if every is not None and not is_url(origin):
        raise InputError("only an address is asked again", hint="leave --every out for a file")
    while True:
        try:
            found, is_new = take_message(engine, settings, feed_id, origin)
        except SourceError as error:
            if every is None:
                raise
            typer.echo(str(error), err=True)
        else:
            _print_message(found, is_new, as_json=as_json)
        if every is None:
            return
        time.sleep(every)


def show_departures(
    feed_id: Annotated[str, typer.Argument(help="The id of a feed.")],
    stop_id: Annotated[str, typer.Argument(help="The id of a stop or station in the feed.")],
    at: Annotated[datetime | None, typer.Option(help="The moment (UTC); now without it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    as_json: Json = False,
) -> None:
    """Giờ xe rời trạm — what leaves a stop in the next two hours, with delays told live."""
    moment = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    with connect_to_city(read_settings()).connect() as connection:
        row = read_feed_row(connection, feed_id)
        one = CityFeed(row.id, row.stamp, row.title, read_warm_feed(connection, row))
        updates = select_entities(connection, feed_id, ["trip_update"], moment)
        changes = select_entities(connection, feed_id, ["trip_modifications"], moment, fresh=LASTING)
    found = list_departures(one, stop_id, moment, updates, changes, within=timedelta(hours=2), limit=limit)
    if as_json:
        typer.echo(orjson.dumps([asdict(each) for each in found]).decode())
        return
    zone = ZoneInfo(row.timezone)
    for each in found:
        mark = "" if each.exact else "~"
        late = f" {each.delay:+d} s" if each.delay else ""
        when = each.expected.astimezone(zone)
        typer.echo(f"{mark}{when:%H:%M}  {each.route:8} {each.headsign}  {each.state}{late}")


def _print_message(found: MessageRow, is_new: bool, *, as_json: bool) -> None:
    if as_json:
        body = {
            "at": found.at, "source": found.source, "new": is_new, "counts": found.counts, "unmatched": found.unmatched,
        }  # fmt: skip
        typer.echo(orjson.dumps(body).decode())
        return
    counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.items()) or "0"
    said = "mới · new" if is_new else "đã có · known"
    typer.echo(f"{found.at:%Y-%m-%d %H:%M:%S}Z ({said}): {counts}")
    for kind, told in found.unmatched.items():
        ids = ", ".join(told["ids"][:5])
        typer.echo(f"  không có trong bộ dữ liệu · not in the feed: {told['count']:,} / {told['of']:,} {kind}: {ids}")
