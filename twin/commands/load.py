"""``twin load``: bring a file, or all sources of the catalogue, into the city."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from layers.errors import InputError
from layers.ingest.catalog import Source, Words, read_catalog
from layers.ingest.load import load_source
from layers.ingest.quality import LoadReport
from layers.ingest.readers import OSM
from twin.connect import connect
from twin.progress import show_progress
from twin.settings import Settings, read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("load")(load)


def load(
    path: Annotated[
        Path | None, typer.Argument(help="File: .gpkg .geojson .shp .zip .fgb .csv .osm .pbf .tif.", show_default=False)
    ] = None,
    layer: Annotated[str, typer.Option(help="Layer the file goes to; see: twin layers.")] = "",
    mapping: Annotated[str | None, typer.Option(help="Mapping file (YAML), or 'osm' for the packaged one.")] = None,
    crs: Annotated[str | None, typer.Option(help="CRS of the file, such as EPSG:4326.")] = None,
    table: Annotated[str | None, typer.Option(help="Table inside the file.")] = None,
    source: Annotated[str | None, typer.Option(help="Id of the source; from the file name if not given.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the data.")] = "unknown",
    attribution: Annotated[str, typer.Option(help="Whom to name.")] = "unknown",
    catalog: Annotated[bool, typer.Option("--catalog", help="Load all sources of the catalogue.")] = False,
    only_changed: Annotated[
        bool, typer.Option("--only-changed", help="Skip files loaded before with the same content, mapping and code.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, check and count; write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Nạp dữ liệu vào thành phố — load data into the city."""
    if (path is None) == (not catalog):
        raise InputError(
            "nothing to load" if path is None else "give a file or --catalog, not both", hint="twin load -h"
        )
    settings = read_settings()
    if path is None:
        known = read_catalog(settings.catalog_path).sources
        sources = tuple(one for one in known if source in (None, one.id) and layer in ("", one.layer))
        if not sources:
            raise InputError("the catalogue lists no such source", hint=f"it has {', '.join(one.id for one in known)}")
        base = settings.catalog_path.parent
    else:
        given = mapping if mapping is None or _is_packaged(mapping) else str(Path(mapping).resolve())
        sources = (_describe(path, source, layer, given, table, licence, attribution),)
        base = Path.cwd()
    engine = connect(settings)
    reports = load_all(engine, settings, sources, base, crs=crs, dry_run=dry_run, only_changed=only_changed)
    if as_json:
        typer.echo(orjson.dumps([report.as_dict() for report in reports]).decode())
    else:
        print_reports(reports)


def _is_packaged(mapping: str) -> bool:
    return "." not in mapping and "/" not in mapping


def _describe(
    path: Path, source: str | None, layer: str, mapping: str | None, table: str | None, licence: str, attribution: str
) -> Source:
    """Return the source that a path on the command line stands for."""
    name = source or re.sub(r"[^a-z0-9_.-]+", "-", path.name.split(".")[0].lower()).strip("-._")[:80] or "file"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,80}", name):
        raise InputError(f"source id '{name}' is not made of lower-case letters, digits, dots, - and _")
    if not layer and mapping is None:
        if path.suffix.lower() not in OSM:
            raise InputError(f"{path}: which layer does it go to?", hint="give --layer or --mapping; see: twin layers")
        mapping = "osm"
    return Source(
        id=name,
        uri=str(path.resolve()),
        kind="raster" if path.suffix.lower() in (".tif", ".tiff") else "features",
        layer=layer,
        title=Words(vi=path.stem, en=path.stem),
        licence=licence,
        attribution=attribution,
        table=table,
        mapping=mapping,
    )


def load_all(
    engine: Engine,
    settings: Settings,
    sources: tuple[Source, ...],
    base: Path,
    *,
    crs: str | None = None,
    dry_run: bool = False,
    only_changed: bool = False,
) -> list[LoadReport]:
    """Load one source after the other behind one bar and return a report a layer."""
    reports: list[LoadReport] = []
    with show_progress("Layers" if len(sources) > 1 else sources[0].id) as report:
        for position, one in enumerate(sources):

            def tell(fraction: float, message: str, done: int = position) -> None:
                report((done + fraction) / len(sources), message)

            reports += load_source(
                engine,
                one,
                base,
                crs=crs,
                dry_run=dry_run,
                only_changed=only_changed,
                processed_dir=settings.processed_dir,
                progress=tell,
            )
    return reports


def print_reports(reports: Iterable[LoadReport]) -> None:
    """Print the summary table and below it every reason of a rejection."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table("nguồn · source", "lớp · layer", box=None, header_style="bold")
    for title in ("đọc · read", "nạp · loaded", "giữ · unchanged", "loại · quarantined", "sửa · repaired", "s"):
        table.add_column(title, justify="right")
    reports = list(reports)
    for one in reports:
        numbers = (one.read, one.loaded, one.unchanged, one.quarantined, one.repaired)
        shown = ["không đổi · current", "", "", "", ""] if one.is_current else [f"{number:,}" for number in numbers]
        table.add_row(one.source, one.layer, *shown, f"{one.seconds:.1f}")
    console.print(table)
    for one in reports:
        for reason, count in one.reasons.most_common(8):
            console.print(f"  {one.layer}: {count:,} × {reason}", highlight=False, markup=False)
        if one.gone:
            console.print(f"  {one.layer}: {one.gone:,} stored rows are no longer in the file and are kept")
    # All layers of a source say the same of the file.
    for source, skipped in {one.source: one.skipped for one in reports if one.skipped}.items():
        console.print(f"  {source}: {skipped:,} rows of the file went to no layer", highlight=False, markup=False)
    if any(one.dry_run for one in reports):
        console.print("  chạy thử, chưa ghi gì · dry run, nothing written")
    elif any(one.quarantined for one in reports):
        console.print("  xem · see: twin quarantine list")
