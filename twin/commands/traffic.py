"""``twin traffic``: road works in and out, counts, traffic now, incidents, speeds from a file."""

import getpass
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from layers.registry import read_vector_layer
from layers.store.features import select_features
from twin.city import City
from twin.commands.carrying import carry_out
from twin.commands.choosing import read_time
from twin.commands.load_report import print_reports
from twin.connect import connect_to_city
from twin.immediate import answer_now
from twin.process import parse_words
from twin.processes.traffic_counts import PROCESS as COUNTS
from twin.processes.traffic_state import PROCESS as STATE
from twin.roads.closures import place_closures, read_event, read_spans
from twin.settings import read_settings
from twin.store_traffic import select_many
from twin.traffic.incident_detection import Readings, find_incidents, find_place
from twin.traffic.speeds import load_matched, load_speeds
from twin.traffic.street_sections import list_sections
from twin.traffic.wzdx_importing import import_feed
from twin.traffic.wzdx_publishing import publish_works

traffic = typer.Typer(
    no_args_is_help=True, help="Giao thông — traffic: road works, counts, the state now, incidents, speeds."
)
works = typer.Typer(no_args_is_help=True, help="Công trường, cấm đường — road works: list, import and export WZDx.")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
At = Annotated[str | None, typer.Option(help="At this time, such as 2026-11-28T17:30+07:00; now without it.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    traffic.add_typer(works, name="works")
    app.add_typer(traffic, name="traffic")


@traffic.callback()
def choose() -> None:
    """Giao thông — traffic: road works, counts, the state now, incidents, speeds."""


@works.command("list")
def list_works(
    at: At = None,
    everything: Annotated[bool, typer.Option("--all", help="Also those to come and those that ended.")] = False,
    as_json: Json = False,
) -> None:
    """Đang hiệu lực — road works in force, and how many links each closes."""
    moment = _read_at(at)
    settings = read_settings()
    with connect_to_city(settings).connect() as connection:
        frame = select_features(connection, read_vector_layer("road_works"))
        closed = place_closures(frame, City(connection, settings.processed_dir, moment).roads(), moment)
    links = {work.id: int(work.links.size) for work in closed.works}
    starts, ends = read_spans(frame)
    rows = []
    for place in range(len(frame)):
        event = read_event(frame, place)
        if everything or event["id"] in links:
            told = {key: event.get(key) for key in ("id", "name", "event_type", "vehicle_impact", "road_name")}
            span = {"from": _tell(starts[place]), "until": _tell(ends[place])}
            rows.append({**told, **span, "in_force": event["id"] in links, "links": links.get(event["id"], 0)})
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    titles = ("mã · id", "tên · name", "loại · type", "ảnh hưởng · impact", "đường · road", "từ · from", "đến · until")
    _print([*titles, "chiều đường · links"], [[*list(row.values())[:7], row["links"]] for row in rows])


@works.command("import")
def import_works(
    file: Annotated[Path, typer.Argument(help="A WZDx 4 work zone feed (GeoJSON).")],
    name: Annotated[str | None, typer.Option(help="Name of the feed; that of the file without it.")] = None,
    prune: Annotated[bool, typer.Option(help="Delete events of this feed that the file no longer has.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Read and check, write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Nạp WZDx — load the events of a feed; what is wrong with one is kept: twin quarantine."""
    settings = read_settings()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"file '{file}' cannot be read: {error}") from error
    report = import_feed(
        connect_to_city(settings), content, name or file.stem, settings.raw_dir, author=getpass.getuser(), prune=prune,
        dry_run=dry_run,
    )  # fmt: skip
    if as_json:
        typer.echo(orjson.dumps(report.as_dict()).decode())
        return
    print_reports([report])


@works.command("export")
def export_works(
    file: Annotated[Path, typer.Argument(help="Where the feed goes, such as works.geojson; - prints it.")],
) -> None:
    """Xuất WZDx 4.2 — write the road works that have not ended as a WZDx 4.2 feed."""
    with connect_to_city(read_settings()).connect() as connection:
        feed = publish_works(connection, datetime.now(UTC))
    content = orjson.dumps(feed, option=orjson.OPT_INDENT_2)
    if str(file) == "-":
        typer.echo(content.decode())
        return
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InputError(f"file '{file}' cannot be written: {error}") from error
    typer.echo(f"{len(feed['features'])} sự kiện · events → {file}")


@traffic.command("now")
def show_now(
    at: At = None,
    reach: Annotated[
        float, typer.Option(min=0.0, max=5000.0, help="How far a station speaks for its street [m].")
    ] = 500,
    as_json: Json = False,
) -> None:
    """Tình trạng giao thông — the state of traffic: speed and level of service of counted streets."""
    settings = read_settings()
    values: dict[str, Any] = {"reach": reach} | ({} if at is None else {"at": read_time(at)})
    answer = answer_now(
        connect_to_city(settings), settings, STATE, values, author=getpass.getuser(), choose=lambda _: STATE.outputs
    )
    summary, frame = dict(answer.outputs.summary), answer.outputs.features["traffic_state"]
    own = frame[frame["measured"]]
    columns = ("station_id", "name", "road_link_id", "way", "grade", "speed", "free_speed", "time_index", "flow", "age")
    rows = [[None if value != value else value for value in row] for row in own[list(columns)].to_numpy().tolist()]
    if as_json:
        measured = [dict(zip(columns, row, strict=True)) for row in rows]
        typer.echo(orjson.dumps({**summary, "measured": measured}).decode())
        return
    titles = ("trạm · station", "đường · street", "đoạn · link", "chiều · way", "mức · LOS", "km/h", "tự do · free")
    _print([*titles, "TTI", "xe/giờ · veh/h", "cũ · age [s]"], rows)
    silent = ", ".join(summary["silent_stations"]) or "—"
    typer.echo(f"{summary['links']} chiều đường · links, TTI {summary['time_index']}; im lặng · silent: {silent}")


@traffic.command("counts")
def show_counts(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]…", help="Đầu vào — inputs (twin run traffic-counts --inputs lists them)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Đếm xe — daily traffic, peak hour and quality of each counter; GEH beside a model run."""
    settings = read_settings()
    engine = connect_to_city(settings)
    done = carry_out(engine, settings, COUNTS, parse_words(COUNTS, words or []))
    with engine.connect() as connection:
        frame = select_features(connection, read_vector_layer("traffic_counts"), equals={"run_id": done.id})
    columns = (
        "station_id",
        "road_link_id",
        "daily_traffic",
        "days",
        "peak_hour",
        "peak_flow",
        "count",
        "model",
        "geh",
        "fit",
    )
    rows = [[None if value != value else value for value in row] for row in frame[list(columns)].to_numpy().tolist()]
    summary = dict(done.summary or {})
    if as_json:
        stations = [dict(zip(columns, row, strict=True)) for row in rows]
        typer.echo(orjson.dumps({"run": done.id, **summary, "station_counts": stations}).decode())
        return
    typer.echo(done.id)
    titles = ("trạm · station", "đoạn · link", "xe/ngày · AADT", "ngày · days", "giờ · peak", "xe/giờ · flow")
    _print([*titles, "đếm · count", "mô hình · model", "GEH", ""], rows)
    if summary.get("share_below_limit") is not None:
        goal = "đạt · met" if summary["goal_met"] else "chưa đạt · not met"
        typer.echo(f"GEH < 5: {summary['share_below_limit']:.0%} (mục tiêu · goal 85 %: {goal})")


@traffic.command("incidents")
def show_incidents(
    at: At = None,
    hours: Annotated[float, typer.Option(min=0.1, max=24 * 31, help="How many hours back.")] = 48.0,
    as_json: Json = False,
) -> None:
    """Sự cố — incidents found between counters: California #7 and #8, CUSUM, McMaster."""
    end = _read_at(at)
    settings = read_settings()
    with connect_to_city(settings).connect() as connection:
        city = City(connection, settings.processed_dir, end)
        sections = {one.id: one for one in list_sections(connection, end)}
        offset = round((end.astimezone(city.zone).utcoffset() or timedelta()).total_seconds())

        def read(ids: Sequence[str], start: datetime, until: datetime) -> Readings:
            return select_many(connection, ids, start, until)

        found = find_incidents(list(sections.values()), read, end - timedelta(hours=hours), end, offset)
        roads = city.roads() if sections else None
        rows = []
        for one in found:
            section = sections[one.section]
            point = None if roads is None else find_place(section, roads)
            rows.append(
                {
                    "section": one.section, "upstream": section.upstream.name, "downstream": section.downstream.name,
                    "onset": one.onset.isoformat(), "told": one.told.isoformat(),
                    "ended": None if one.ended is None else one.ended.isoformat(), "confidence": one.confidence,
                    "length": round(section.length, 1),
                    "place": None if point is None else [round(point.x, 1), round(point.y, 1)],
                }
            )  # fmt: skip
    if as_json:
        typer.echo(orjson.dumps({"sections": len(sections), "incidents": rows}).decode())
        return
    titles = ("từ trạm · from", "đến trạm · to", "bắt đầu · onset", "báo · told", "hết · ended", "tin cậy · confidence")
    keys = ("upstream", "downstream", "onset", "told", "ended", "confidence")
    _print(list(titles), [[row[key] for key in keys] for row in rows])
    typer.echo(f"{len(rows)} sự cố · incidents, {len(sections)} đoạn được canh · sections watched")


@traffic.command("speeds")
def import_speeds(
    file: Annotated[Path | None, typer.Argument(help="CSV: road_link_id,time,speed[,direction].")] = None,
    run: Annotated[str | None, typer.Option(help="Instead of a file: the tracks of this run of map-match.")] = None,
    source: Annotated[str, typer.Option(help="Who measured: letters, digits, hyphens.")] = "probe",
    as_json: Json = False,
) -> None:
    """Nạp tốc độ xe — load speeds by road and time, such as those of floating vehicles."""
    if not source.replace("-", "").isalnum() or len(source) > 40:
        raise InputError(f"source '{source[:60]}' is not letters, digits and hyphens", hint="at most 40 of them")
    with connect_to_city(read_settings()).begin() as connection:
        if file is not None and run is None:
            report = load_speeds(connection, file, source, author=getpass.getuser())
        elif run is not None and file is None:
            report = load_matched(connection, run, source, author=getpass.getuser())
        else:
            raise InputError("either a file or --run is loaded")
    if as_json:
        typer.echo(orjson.dumps(asdict(report)).decode())
        return
    typer.echo(f"{report.rows:,} dòng · rows, {report.series:,} chuỗi · series, {report.stored.new:,} mới · new")
    for reason, count in report.rejected.items():
        typer.echo(f"  {count:,} bị loại · left out: {reason}")


def _read_at(at: str | None) -> datetime:
    return datetime.now(UTC) if at is None else read_time(at)


def _tell(seconds: float) -> str | None:
    finite = abs(seconds) != float("inf")
    return datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="minutes") if finite else None


def _print(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    table = Table(*titles, box=None, header_style="bold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    Console(width=None if sys.stdout.isatty() else 200).print(table)
