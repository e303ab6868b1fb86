"""``twin transit``: feeds of public transport in, out, validated; live messages; departures."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from layers.ingest.fetch import fetch, is_url
from twin.city import City
from twin.commands.transit_live import add_live
from twin.connect import connect_to_city
from twin.settings import Settings, read_settings
from twin.store_transit import FeedRow, list_feeds, read_feed_row
from twin.transit.exporting import read_current_feed
from twin.transit.feed import Feed
from twin.transit.headway_mapping import read_mapping
from twin.transit.headways import read_headway_feed
from twin.transit.importing import FeedOrigin, choose_feed_id, import_feed, remove_feed
from twin.transit.notices import RULES, Notices
from twin.transit.reading import read_feed
from twin.transit.road_ways import RoadWays
from twin.transit.validating import validate_feed
from twin.transit.warm import read_warm_feed
from twin.transit.writing import write_feed

transit = typer.Typer(
    help="Giao thông công cộng — public transport: import, check and export GTFS, live positions, departures."
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_TABLES = ("routes", "stops", "trips", "stop_times")
_STYLES = {"ERROR": "red", "WARNING": "yellow", "INFO": "dim"}


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    add_live(transit)
    app.add_typer(transit, name="transit")


@transit.callback(invoke_without_command=True)
def list_known(context: typer.Context, as_json: Json = False) -> None:
    """Giao thông công cộng — the feeds of the city: routes, stops, trips, days; import, check, export, remove."""
    if context.invoked_subcommand is None:
        show_feeds(as_json=as_json)


@transit.command("list")
def show_feeds(as_json: Json = False) -> None:
    """Danh sách bộ dữ liệu — the feeds of the city."""
    with connect_to_city(read_settings()).connect() as connection:
        rows = list_feeds(connection)
    if as_json:
        typer.echo(orjson.dumps([describe_feed(row) for row in rows]).decode())
        return
    if not rows:
        typer.echo("chưa có bộ dữ liệu nào · no feeds yet: twin transit import FILE.zip")
        return
    table = Table("mã · id", box=None, header_style="bold")
    table.add_column("tên · title", no_wrap=True, max_width=24)
    for title in ("tuyến · routes", "trạm · stops", "chuyến · trips", "lỗi · errors"):
        table.add_column(title, justify="right")
    table.add_column("hiệu lực · days", no_wrap=True)
    for row in rows:
        counts = [f"{row.counts.get(name, 0):,}" for name in _TABLES[:3]]
        days = f"{row.first_day:%Y-%m}/{row.last_day:%Y-%m}" if row.first_day and row.last_day else "–"
        table.add_row(f"{row.id} v{row.version}", row.title, *counts, str(_count_errors(row)), days)
    Console().print(table)


@transit.command("import")
def load(
    path: Annotated[str, typer.Argument(help="GTFS as a zip file, a folder, or an address.")],
    feed_id: Annotated[
        str | None, typer.Option("--id", help="Its id here; made of the file's name without it.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="What it is called; the agency's name without it.")] = None,
    licence: Annotated[str, typer.Option(help="Under which licence it is given.")] = "unknown",
    attribution: Annotated[str | None, typer.Option(help="Whom to thank; the publisher without it.")] = None,
    headways: Annotated[
        Path | None,
        typer.Option(
            help="The folder holds tables of routes, stops and headways instead, which this mapping (YAML) explains; "
            "running times are estimated."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Nhập bộ dữ liệu GTFS — take a feed in as the version in force, with its stops and routes as layers."""
    settings = read_settings()
    file = _find_file(settings, path)
    feed, notes = (read_feed(file), []) if headways is None else _estimate_feed(settings, file, headways)
    today = datetime.now(UTC).date()
    report = validate_feed(feed, today)
    publisher = next(iter(feed.table("feed_info").texts("feed_publisher_name")), "")
    agency = next(iter(feed.table("agency").texts("agency_name")), "")
    origin = FeedOrigin(
        id=feed_id or choose_feed_id(file), title=title or agency or file.stem, uri=file.name, licence=licence,
        attribution=attribution or publisher or agency,
    )  # fmt: skip
    done = import_feed(connect_to_city(settings), feed, report, origin, author=getpass.getuser(), today=today)
    if as_json:
        body = {
            **describe_feed(done.row), "new": done.is_new, "layers": done.layers, "notes": notes,
            "notices": report.describe(),
        }  # fmt: skip
        typer.echo(orjson.dumps(body).decode())
        return
    row = done.row
    said = "mới · new" if done.is_new else "không đổi · unchanged"
    counts = ", ".join(f"{row.counts.get(name, 0):,} {name}" for name in _TABLES)
    typer.echo(f"{row.id} phiên bản · version {row.version} ({said}): {counts}")
    for layer, changed in done.layers.items():
        typer.echo(f"  {layer}: " + (", ".join(f"{count:,} {word}" for word, count in changed.items() if count) or "–"))
    for note in notes:
        typer.echo(f"  {note}")
    _print_notices(report)


@transit.command("check")
def check(
    what: Annotated[str, typer.Argument(help="A zip file, a folder, an address, or the id of a feed of the city.")],
    as_json: Json = False,
) -> None:
    """Kiểm tra bộ dữ liệu — validate a feed; exit code 1 when there are errors."""
    settings = read_settings()
    report = validate_feed(_find_feed(settings, what), datetime.now(UTC).date())
    if as_json:
        body = {
            "summary": {word.lower() + "s": report.count(word) for word in ("ERROR", "WARNING", "INFO")},
            "notices": report.describe(),
        }
        typer.echo(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY).decode())
    else:
        _print_notices(report)
    if report.count("ERROR"):
        raise typer.Exit(1)


@transit.command("export")
def export(
    feed_id: Annotated[str, typer.Argument(help="The id of a feed.")],
    to: Annotated[Path, typer.Argument(help="The zip file to write.")],
    as_json: Json = False,
) -> None:
    """Xuất bộ dữ liệu ra GTFS — write a feed with the names and places its stops have in the city."""
    if to.suffix != ".zip":
        raise InputError(f"{to} does not end with .zip", hint="GTFS is a zip file")
    with connect_to_city(read_settings()).connect() as connection:
        feed, carried = read_current_feed(connection, read_feed_row(connection, feed_id))
    to.write_bytes(write_feed(feed))
    if as_json:
        body = {"file": str(to), "renamed": carried.renamed, "moved": carried.moved, "missing": carried.missing}
        typer.echo(orjson.dumps(body).decode())
        return
    typer.echo(f"{to}: đổi tên · renamed {carried.renamed}, dời chỗ · moved {carried.moved}")


@transit.command("remove")
def remove(feed_id: Annotated[str, typer.Argument(help="The id of a feed.")]) -> None:
    """Gỡ bộ dữ liệu — take a feed and its stops and routes out of the city; the layers keep their history."""
    removed = remove_feed(connect_to_city(read_settings()), feed_id, author=getpass.getuser())
    typer.echo(f"{feed_id}: {removed:,} đối tượng gỡ bỏ · features removed")


def describe_feed(row: FeedRow) -> dict[str, Any]:
    """Return a version of a feed as it is answered."""
    return {
        "id": row.id,
        "version": row.version,
        "title": row.title,
        "uri": row.uri,
        "licence": row.licence,
        "attribution": row.attribution,
        "timezone": row.timezone,
        "loaded": row.loaded.isoformat(),
        "author": row.author,
        "first_day": row.first_day.isoformat() if row.first_day else None,
        "last_day": row.last_day.isoformat() if row.last_day else None,
        "counts": row.counts,
        "errors": _count_errors(row),
    }


def _count_errors(row: FeedRow) -> int:
    return sum(one["totalNotices"] for one in row.report["notices"] if one["severity"] == "ERROR")


def _find_file(settings: Settings, path: str) -> Path:
    if not is_url(path):
        return Path(path)
    return fetch(path, settings.raw_dir / ".fetched", private_hosts=settings.private_callback_hosts)


def _estimate_feed(settings: Settings, folder: Path, mapping: Path) -> tuple[Feed, list[str]]:
    """Return the feed of tables of headways; buses drive on the roads of the city, where it has any."""
    now = datetime.now(UTC)
    with connect_to_city(settings).connect() as connection:
        view = City(connection, settings.processed_dir, now)
        return read_headway_feed(folder, read_mapping(mapping), ways=RoadWays(view, now), crs=view.crs)


def _find_feed(settings: Settings, what: str) -> Feed:
    """Return the feed of a file or an address where it looks like one, else of the city."""
    if is_url(what) or Path(what).exists():
        return read_feed(_find_file(settings, what))
    with connect_to_city(settings).connect() as connection:
        return read_warm_feed(connection, read_feed_row(connection, what))


def _print_notices(report: Notices) -> None:
    console = Console()
    for notice in report.sorted():
        title = RULES[notice.code].title
        style = _STYLES[notice.severity]
        console.print(f"[{style}]{notice.severity:8}[/] {notice.code} × {notice.count:,}: {title.vi} · {title.en}")
        for sample in notice.samples[:3]:
            console.print("         " + ", ".join(f"{key} {value}" for key, value in sample.items()), highlight=False)
