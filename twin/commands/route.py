"""``twin route``: ways, areas within reach, matrices and tracks, answered at once."""

import csv
import io
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from layers.ingest.crs import read_crs
from layers.ingest.export import SUFFIXES, check_target
from twin.commands.trace import write_features
from twin.connect import connect_to_city
from twin.immediate import answer_now
from twin.process import Outputs, Process, parse_words
from twin.processes import isochrone as reaching
from twin.processes import map_match, travel_matrix
from twin.processes import route as routing
from twin.roads.profiles import MODE_TITLES
from twin.settings import read_settings

route = typer.Typer(
    no_args_is_help=True,
    help="Tìm đường — routes: ways, areas within reach, matrices of times, tracks matched to roads.",
)
LIMIT_S = 3_600.0
_CRS84 = "EPSG:4326"
Mode = Annotated[str, typer.Option("--mode", help=f"{', '.join(MODE_TITLES)}.")]
Departure = Annotated[
    str | None, typer.Option("--departure", metavar="TIME", help="Giờ đi — when, ISO 8601; without it roads are free.")
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        "--input", "-i", metavar="NAME=VALUE", help="Another input (twin run route --inputs); repeat for more."
    ),
]
Output = Annotated[Path | None, typer.Option("--output", help=f"Write what is found to a file: {' '.join(SUFFIXES)}")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(route, name="route")


@route.callback()
def choose() -> None:
    """Tìm đường — routes: ways, areas within reach, matrices of times, tracks matched to roads."""


@route.command("path")
def path(
    origin: Annotated[str, typer.Argument(metavar="LON,LAT", help="Từ đâu — where it begins.")],
    destination: Annotated[str, typer.Argument(metavar="LON,LAT", help="Đến đâu — where it ends.")],
    via: Annotated[
        list[str] | None, typer.Option(metavar="LON,LAT", help="Qua — a place to pass; repeat for more.")
    ] = None,
    mode: Mode = "motorbike",
    departure: Departure = None,
    alternatives: Annotated[int, typer.Option(help="Số phương án — up to so many ways, 1 to 5.")] = 1,
    avoid: Annotated[
        list[str] | None, typer.Option(metavar="ROAD|STREET", help="Tránh — a road that is not used.")
    ] = None,
    flood_run: Annotated[str | None, typer.Option(help="Lần chạy ngập — the flood run whose water counts.")] = None,
    inputs: Inputs = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Tìm đường đi — the way from a place to another, with alternatives and instructions."""
    given = {
        "origin": _read_place(origin),
        "destination": _read_place(destination),
        "via": [_read_place(word) for word in via or []],
        "mode": mode,
        "departure": departure,
        "alternatives": alternatives,
        "avoid": avoid or [],
        "flood_run": flood_run,
    }
    outputs = _answer(routing.PROCESS, given, inputs, output)
    if not _print_json(outputs, as_json):
        _print_routes(_console(), outputs.summary)


@route.command("isochrone")
def isochrone(
    origins: Annotated[list[str], typer.Argument(metavar="LON,LAT…", help="Từ đâu — one place or several.")],
    minutes: Annotated[str, typer.Option(help="Số phút — up to six, parted by commas.")] = "5,10,15",
    mode: Mode = "motorbike",
    departure: Departure = None,
    inputs: Inputs = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Vùng tới được — how far one comes within some minutes, with people and places."""
    given = {
        "origins": [_read_place(word) for word in origins],
        "minutes": [part for part in minutes.split(",") if part.strip()],
        "mode": mode,
        "departure": departure,
    }
    outputs = _answer(reaching.PROCESS, given, inputs, output)
    if not _print_json(outputs, as_json):
        _print_areas(_console(), outputs.summary)


@route.command("matrix")
def matrix(
    places: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Điểm — places: columns lon, lat.")],
    to: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Điểm đến — destinations, else the same.")] = None,
    mode: Mode = "motorbike",
    departure: Departure = None,
    inputs: Inputs = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Ghi CSV — write origin,destination,duration [s].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ma trận thời gian đi — travel times [s] between up to 500 × 500 places, as CSV."""
    given = {
        "origins": _read_places(places),
        "destinations": [] if to is None else _read_places(to),
        "mode": mode,
        "departure": departure,
    }
    outputs = _answer(travel_matrix.PROCESS, given, inputs, None)
    table = outputs.files[travel_matrix.CSV_NAME]
    if output is not None:
        output.write_bytes(table)
        typer.echo(str(output), err=True)
    if not _print_json(outputs, as_json) and output is None:
        typer.echo(table.decode(), nl=False)


@route.command("match")
def match(
    track: Annotated[Path, typer.Argument(metavar="FILE", help="Hành trình — a track: GeoJSON, or CSV lon,lat,time.")],
    mode: Mode = "motorbike",
    accuracy: Annotated[float, typer.Option(help="Sai số vị trí — standard deviation of positions [m].")] = 10.0,
    speeds: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Ghi tốc độ từng đường — write road_link_id, time, speed.")
    ] = None,
    inputs: Inputs = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Khớp hành trình với đường — the roads that a recorded track followed, with speeds."""
    given = {"track": _read_text(track), "mode": mode, "accuracy": accuracy}
    outputs = _answer(map_match.PROCESS, given, inputs, output)
    if speeds is not None:
        if map_match.SPEEDS_NAME not in outputs.files:
            raise InputError(f"'{track}' has no times, so nobody knows how fast it was", hint="a column or member time")
        speeds.write_bytes(outputs.files[map_match.SPEEDS_NAME])
        typer.echo(str(speeds), err=True)
    if not _print_json(outputs, as_json):
        _print_match(_console(), outputs.summary)


def _answer(process: Process, given: Mapping[str, Any], more: Sequence[str] | None, output: Path | None) -> Outputs:
    """Ask the process, write its first layer to a file where one is named, and return what came of it."""
    values = {name: value for name, value in given.items() if value is not None} | parse_words(process, more or [])
    if output is not None:
        check_target(output, read_crs(_CRS84))
    settings = read_settings()
    wanted: Collection[str] = process.outputs[:1] if output is not None else ()
    answer = answer_now(
        connect_to_city(settings), settings, process, values, author="local", choose=lambda _: wanted, limit_s=LIMIT_S
    )
    if output is not None:
        count = write_features(answer.outputs, process.outputs[0], output)
        typer.echo(f"{output}: {count:,}", err=True)
    return answer.outputs


def _read_place(word: str) -> list[float]:
    try:
        lon, lat = (float(part) for part in word.split(","))
    except ValueError:
        raise InputError(f"'{word[:60]}' is no place", hint="LON,LAT in degrees: 105.7850,10.0340") from None
    return [lon, lat]


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' cannot be read: {error}") from error


def _read_places(path: Path) -> list[list[float]]:
    rows = csv.DictReader(io.StringIO(_read_text(path)))
    names = {str(name).strip().lower(): name for name in rows.fieldnames or ()}
    lon, lat = (next((names[word] for word in words if word in names), None) for words in (("lon", "lng"), ("lat",)))
    if lon is None or lat is None:
        raise InputError(f"'{path}' has no columns lon and lat", hint="the first line: lon,lat")
    return [_read_place(f"{row[lon]},{row[lat]}") for row in rows]


def _print_json(outputs: Outputs, as_json: bool) -> bool:
    if as_json:
        typer.echo(orjson.dumps(dict(outputs.summary)).decode())
    return as_json


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 140, highlight=False)


def _print_routes(console: Console, told: Mapping[str, Any]) -> None:
    for number, one in enumerate(told["routes"], 1):
        by = ", ".join(one["streets"])
        console.print(
            f"[bold]{number}. {one['length'] / 1000:.2f} km, {_tell_time(one['duration'])}[/bold]"
            + (f" — {by}" if by else "")
            + (f" — đến · arrives {one['arrival']}" if one["arrival"] else "")
        )
    for work in told["works"]:
        console.print(f"đang thi công, cấm · in force: {work['name']}")
    steps = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    steps.add_column(justify="right")
    for _ in range(2):
        steps.add_column()
    for step in told["routes"][0].get("steps", ()):
        steps.add_row(f"{step['length']:,.0f} m", step["text"]["vi"], step["text"]["en"])
    console.print(steps)


def _print_areas(console: Console, told: Mapping[str, Any]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("phút · min", "km²", "đường · roads km", "người · people", "địa điểm · places"):
        table.add_column(name, justify="right")
    for area in told["areas"]:
        table.add_row(
            f"{area['minutes']:g}", f"{area['area'] / 1e6:.2f}", f"{area['road_length'] / 1000:.1f}",
            f"{area['people']:,}", f"{sum(area['places'].values()):,}",
        )  # fmt: skip
    console.print(table)


def _print_match(console: Console, told: Mapping[str, Any]) -> None:
    console.print(
        f"[bold]{told['length'] / 1000:.2f} km[/bold], {told['links']} đoạn đường · stretches of road, "
        f"{told['used']} / {told['positions']} vị trí · positions"
    )
    if told["off_road_count"]:
        console.print(f"xa mọi đường · near no road: {told['off_road_count']}")
    for gap in told["gaps"]:
        console.print(f"đứt đoạn · gap: {gap['from_position']} – {gap['to_position']}, {gap['distance']:,.0f} m")


def _tell_time(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60.0), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"
