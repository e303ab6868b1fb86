"""``twin water``: EPANET models in and out of the city, runs of its water network."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from layers.errors import InputError
from layers.ingest.epanet.items import OBJECTS
from layers.ingest.swmm.document import write_document
from layers.store.models import read_model
from network.epanet.hydraulics import run_model
from network.epanet.project import Project
from twin.city import City
from twin.commands.carrying import carry_out
from twin.commands.choosing import read_time
from twin.commands.model_files import drop_model, read_origin, show_models, tell_changes, write_model
from twin.connect import connect_to_city
from twin.models import read_text
from twin.process import Quiet, parse_words
from twin.registry import read_process
from twin.settings import read_settings
from twin.water.exporting import compose_model
from twin.water.importing import ImportReport, import_model
from twin.water.model import Times
from twin.water.run import describe_balance
from twin.water.study import Asked, open_study

water = typer.Typer(
    no_args_is_help=True,
    help="Cấp nước — water supply: run, age, fire flow, balance of metered areas; EPANET models in and out.",
)
_LAYERS = {
    "water_nodes": "nút · nodes",
    "water_pipes": "ống · pipes",
    "water_valves": "van · valves",
    "water_pumps": "bơm · pumps",
}
_PROCESSES = {"run": "water-run", "age": "water-age", "fire": "fire-flow", "balance": "dma-balance"}
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME=VALUE]…", help="Đầu vào — inputs of the process (twin run ID --inputs lists them)."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(water, name="water")


@water.command("run")
def run(
    words: Words = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Tệp EPANET — run a file (.inp) as it is; no city is needed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Mô phỏng áp lực, lưu lượng — pressures and flows of the layers, an imported model (model=ID), or a file."""
    if file is None:
        _carry_out("run", words, as_json=as_json)
        return
    if words:
        raise InputError("a file is run as it is: it takes no inputs", hint="twin water import FILE, then model=ID")
    with Project(read_text(file)) as project:
        found = run_model(project)
        junctions = project.nodes.select("junction")
    told = {
        "nodes": len(project.nodes.ids),
        "links": len(project.links.ids),
        "duration_hours": found.duration / 3600.0,
        "pressure_min": round(float(found.pressure.least[junctions].min()), 2),
        "pressure_max": round(float(found.pressure.largest[junctions].max()), 2),
        "energy": round(float(found.energy.sum()), 1),
        "unbalanced": found.unbalanced,
        "balance": describe_balance(found.balance),
    }
    typer.echo(orjson.dumps(told).decode() if as_json else _say(told))


@water.command("age")
def age(words: Words = None, as_json: Json = False) -> None:
    """Tuổi nước, nguồn nước, clo — age of the water, its source, its chlorine."""
    _carry_out("age", words, as_json=as_json)


@water.command("fire")
def fire(words: Words = None, as_json: Json = False) -> None:
    """Chữa cháy — pressure left and flow available at every hydrant."""
    _carry_out("fire", words, as_json=as_json)


@water.command("balance")
def balance(words: Words = None, as_json: Json = False) -> None:
    """Cân bằng nước theo DMA — the IWA balance, night flow and leakage index of the metered areas."""
    _carry_out("balance", words, as_json=as_json)


@water.command("import")
def read_file(
    file: Annotated[Path, typer.Argument(help="EPANET input file (.inp).")],
    model: Annotated[
        str | None, typer.Option("--id", help="Id of the model; from the file's name if not given.")
    ] = None,
    crs: Annotated[str | None, typer.Option(help="CRS of its coordinates, such as EPSG:32648.")] = None,
    origin: Annotated[
        str | None, typer.Option(metavar="LON,LAT", help="Where the middle of local coordinates lies, in degrees.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="Title; the first line of the file's own if not given.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Read a model of this id anew.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, check and count; write nothing.")] = False,
) -> None:
    """Nạp mô hình EPANET vào các lớp — read a model into the layers; what they cannot hold is kept beside them."""
    place = None if origin is None else read_origin(origin)
    with connect_to_city(read_settings()).connect() as connection, connection.begin() as transaction:
        report = import_model(
            connection, file, model=model, crs=crs, origin=place, title=title, replace=replace,
            author=getpass.getuser(),
        )  # fmt: skip
        if dry_run:
            transaction.rollback()
    typer.echo(_say_import(report, dry_run=dry_run))


@water.command("export")
def write_file(
    words: Annotated[list[str], typer.Argument(metavar="[MODEL] FILE", help="The model, and the file to write.")],
    layers: Annotated[
        bool, typer.Option("--layers", help="Dựng từ các lớp — build it from the city's layers.")
    ] = False,
    hours: Annotated[int, typer.Option(help="Built: how long it runs [h].", min=1, max=720)] = 24,
    start: Annotated[str | None, typer.Option(help="Built: its day; today if not given.")] = None,
) -> None:
    """Xuất mô hình EPANET — write a model with all edits of its items, or one built from the layers."""
    settings = read_settings()
    if len(words) != (1 if layers else 2):
        raise InputError(f"{len(words)} words given", hint="twin water export MODEL FILE.inp, or --layers FILE.inp")
    moment = read_time(start) if start is not None else datetime.now(UTC).replace(microsecond=0)
    with connect_to_city(settings).connect() as connection:
        view = City(connection, settings.processed_dir, moment)
        if layers:
            text = open_study(view, Asked(times=Times(hours * 3600)), moment, Quiet()).model.text
            write_model(Path(words[0]), text)
            return
        document, changes = compose_model(view, read_model(connection, words[0], "epanet"))
    write_model(Path(words[1]), write_document(document))
    tell_changes(changes, _LAYERS)


@water.command("list")
def show() -> None:
    """Danh sách mô hình — the EPANET models of the city."""
    show_models("epanet")


@water.command("remove")
def remove(
    model: Annotated[str, typer.Argument(help="Id of the model; see twin water list.")],
    confirmed: Annotated[bool, typer.Option("--yes", help="Remove it with its items.")] = False,
) -> None:
    """Bỏ mô hình cùng các đối tượng của nó — remove a model and its items; the history keeps them."""
    drop_model("epanet", model, OBJECTS, confirmed=confirmed)


def _carry_out(command: str, words: list[str] | None, *, as_json: bool) -> None:
    process = read_process(_PROCESSES[command])
    settings = read_settings()
    engine = connect_to_city(settings)
    done = carry_out(engine, settings, process, parse_words(process, words or []))
    if as_json:
        typer.echo(orjson.dumps({"run": done.id, **(done.summary or {}), "balance": done.balance}).decode())
        return
    typer.echo(f"{done.id}\n{done.title_vi} — {done.title_en}")
    typer.echo(_say_balance(done.summary or {}) if command == "balance" else _say(done.summary or {}))


def _say(told: Any, indent: str = "") -> str:
    """Return figures as lines; long lists of rows are told by their number."""
    lines = []
    for name, value in told.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{name.replace('_', ' ')}\n{_say(value, indent + '  ')}".rstrip())
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{indent}{name.replace('_', ' ')}")
            rows = ("  ".join(f"{key} {part}" for key, part in row.items()) for row in value[:10])
            lines += [f"{indent}  {row}" for row in rows]
        elif not isinstance(value, list):
            lines.append(f"{indent}{name.replace('_', ' '):24} {value}")
    return "\n".join(lines)


_COLUMNS = (
    ("vào/in m³/d", "system_input", 1.0), ("ghi thu/billed", "billed_metered", 1.0), ("rò rỉ/real", "real_losses", 1.0),
    ("NRW %", "nrw_share", 100.0), ("đêm/night l/s", "night_flow", 1000.0), ("UARL m³/d", "unavoidable_losses", 1.0),
    ("ILI", "ili", 1.0),
)  # fmt: skip


def _say_balance(summary: dict[str, Any]) -> str:
    """Return the table of the areas with their total."""
    lines = ["  ".join([f"{'DMA':24}", *(f"{title:>14}" for title, _, _ in _COLUMNS)])]
    for row in [*summary.get("areas", []), {**summary.get("total", {}), "name": "TỔNG · TOTAL"}]:
        figures = [(row.get(name), scale) for _, name, scale in _COLUMNS]
        cells = [f"{_number(None if value is None else scale * value):>14}" for value, scale in figures]
        lines.append("  ".join([f"{str(row.get('name') or '')[:24]:24}", *cells, str(row.get("ili_band", ""))]))
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


def _say_import(report: ImportReport, *, dry_run: bool) -> str:
    lines = [f"{report.model}: {report.title}" + (" (không ghi gì · nothing was written)" if dry_run else "")]
    lines += [f"{count:>8,}  {_LAYERS[layer]}" for layer, count in report.items.items() if count]
    if report.removed:
        lines.append(f"{report.removed:>8,}  đã bỏ · removed, the file no longer has them")
    lines += [f"{count:>8,}  {name.replace('_', ' ')}" for name, count in report.counts.items() if count]
    return "\n".join(lines)
