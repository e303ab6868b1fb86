"""``twin swmm``: SWMM models in and out of the city."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from layers.errors import InputError
from layers.ingest.swmm.document import write_document
from layers.ingest.swmm.fields import OBJECTS
from layers.ingest.swmm.files import list_files
from layers.store.models import read_model, read_model_files
from twin.city import City
from twin.commands.choosing import read_bbox
from twin.commands.model_files import drop_model, read_origin, show_models, tell_changes, write_model
from twin.connect import connect_to_city
from twin.process import CityView, parse_inputs, parse_words
from twin.processes.drainage_edits import list_edits
from twin.processes.drainage_run import DrainageRunInputs
from twin.processes.drainage_study import Study, apply_edits, open_run
from twin.registry import read_process
from twin.settings import read_settings
from twin.swmm.exporting import compose_model
from twin.swmm.importing import ImportReport, import_model
from twin.swmm.running_models import read_city_model

swmm = typer.Typer(
    no_args_is_help=True,
    help="Mô hình thoát nước — SWMM models: import, export, list, remove.",
)
_LAYERS = {
    "drainage_nodes": "nút · nodes",
    "drainage_links": "tuyến · links",
    "catchments": "lưu vực · catchments",
    "rain_gauges": "trạm mưa · rain gauges",
}


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(swmm, name="swmm")


@swmm.command("import")
def read_file(
    file: Annotated[Path, typer.Argument(help="SWMM input file (.inp); files that it names lie beside it.")],
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
    """Nạp mô hình SWMM vào các lớp — read a model into the layers; what they cannot hold is kept beside them."""
    place = None if origin is None else read_origin(origin)
    engine = connect_to_city(read_settings())
    with engine.connect() as connection, connection.begin() as transaction:
        report = import_model(
            connection, file, model=model, crs=crs, origin=place, title=title, replace=replace,
            author=getpass.getuser(),
        )  # fmt: skip
        if dry_run:
            transaction.rollback()
    typer.echo(_say_import(report, dry_run=dry_run))


@swmm.command("export")
def write_file(
    words: Annotated[list[str], typer.Argument(metavar="[MODEL] FILE", help="The model, and the file to write.")],
    commodity: Annotated[
        str | None, typer.Option(help="drainage: build the model from the layers; then only FILE is given.")
    ] = None,
    bbox: Annotated[
        str | None, typer.Option(help="Built: networks that reach into west,south,east,north in degrees.")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input of a drainage run: rain, stage, blockages."),
    ] = None,
    rewrite: Annotated[
        bool, typer.Option("--rewrite", help="Write every value of the layers anew, not only what was changed.")
    ] = False,
) -> None:
    """Xuất mô hình SWMM — write a model with all edits of its items, or one built from the layers."""
    if commodity not in (None, "drainage"):
        raise InputError(f"commodity '{commodity}' has no SWMM model", hint="--commodity drainage")
    wanted = 2 if commodity is None else 1
    if len(words) != wanted:
        raise InputError(
            f"{len(words)} words given, expected {wanted}",
            hint="twin swmm export MODEL FILE.inp, or twin swmm export --commodity drainage FILE.inp",
        )
    settings = read_settings()
    with connect_to_city(settings).connect() as connection:
        view = City(connection, settings.processed_dir, datetime.now(UTC).replace(microsecond=0))
        if commodity is None and not values and bbox is None:
            _export_model(connection, view, words[0], Path(words[1]), rewrite=rewrite)
            return
        if rewrite:
            raise InputError("--rewrite is for a model as it was imported", hint="leave out --input")
        study = _open_study(view, words[0] if commodity is None else None, values or [], bbox)
    write_model(Path(words[-1]), write_document(study.model.inp))
    for name, content in study.model.files.items():
        _write_beside(Path(words[-1]), name, content)
    for name, count in study.model.counts.items():
        typer.echo(f"{count:>8,}  {name.replace('_', ' ')}")
    for note in study.model.notes:
        typer.echo(note)


@swmm.command("list")
def show() -> None:
    """Danh sách mô hình — the models of the city."""
    show_models("swmm")


@swmm.command("remove")
def remove(
    model: Annotated[str, typer.Argument(help="Id of the model; see twin swmm list.")],
    confirmed: Annotated[bool, typer.Option("--yes", help="Remove it with its items.")] = False,
) -> None:
    """Bỏ mô hình cùng các đối tượng của nó — remove a model and its items; the history keeps them."""
    drop_model("swmm", model, OBJECTS, confirmed=confirmed)


def _open_study(view: CityView, model: str | None, values: list[str], bbox: str | None) -> Study:
    """Return what a drainage run with these inputs would run."""
    process = read_process("drainage-run")
    words = parse_words(process, values)
    for name, given in (("model", model), ("bounds", None if bbox is None else list(read_bbox(bbox)))):
        if given is not None:
            words[name] = given
    inputs = parse_inputs(process, words)
    assert isinstance(inputs, DrainageRunInputs)
    study = open_run(view, None if inputs.model is None else read_city_model(view, inputs.model), inputs)
    return apply_edits(study, list_edits(view, study.model, inputs))


def _export_model(connection: Connection, view: CityView, name: str, path: Path, *, rewrite: bool) -> None:
    record = read_model(connection, name, "swmm")
    document, changes = compose_model(view, record, rewrite=rewrite)
    files = read_model_files(connection, record.id)
    write_model(path, write_document(document))
    for file, content in files.items():
        _write_beside(path, file, content)
    tell_changes(changes, _LAYERS)
    absent = {named.plain for named in list_files(document) if named.is_read} - set(files)
    for file in sorted(absent):
        typer.echo(f"thiếu tệp · not kept, the model reads it: {file}", err=True)


def _write_beside(path: Path, name: str, content: bytes) -> None:
    beside = path.resolve().parent / name
    if not beside.exists() or beside.read_bytes() != content:
        beside.write_bytes(content)


def _say_import(report: ImportReport, *, dry_run: bool) -> str:
    lines = [f"{report.model}: {report.title}" + (" (không ghi gì · nothing was written)" if dry_run else "")]
    lines += [f"{count:>8,}  {_LAYERS[layer]}" for layer, count in report.items.items() if count]
    if report.removed:
        lines.append(f"{report.removed:>8,}  đã bỏ · removed, the file no longer has them")
    lines += [f"{count:>8,}  {name.replace('_', ' ')}" for name, count in report.counts.items()]
    lines += [f"khi chạy · when it runs: {note}" for note in report.notes]
    lines += [f"kèm tệp · kept with it: {name}" for name in report.files]
    lines += [f"thiếu tệp · not beside it, the model reads it: {name}" for name in report.absent]
    return "\n".join(lines)
