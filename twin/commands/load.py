"""``twin load``: bring a file, or all sources of the catalogue, into the city."""

import getpass
import re
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import orjson
import typer
from sqlalchemy import Engine

from layers.errors import DatabaseError, InputError, TwinError
from layers.ingest.catalog import Catalog, Source, Words, read_catalog
from layers.ingest.fetch import fetch, is_url
from layers.ingest.load import load_source
from layers.ingest.quality import LoadReport
from layers.ingest.readers import OSM, RASTERS, READERS
from layers.ingest.sample import find_beside
from layers.ingest.stream import Policy
from layers.store.area import CityArea, read_area
from twin.commands.load_report import print_reports
from twin.commands.propose import propose
from twin.connect import connect, connect_to_city
from twin.progress import show_progress
from twin.settings import Settings, read_settings
from twin.transit.cataloguing import load_transit

FETCHED = ".fetched"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("load")(load)


def load(
    path: Annotated[
        str | None,
        typer.Argument(help=f"File or http(s) address: {' '.join(READERS)} {' '.join(RASTERS)}", show_default=False),
    ] = None,
    layer: Annotated[str, typer.Option(help="Layer the file goes to; see: twin layers.")] = "",
    mapping: Annotated[str | None, typer.Option(help="Mapping file (YAML), or 'osm' for the packaged one.")] = None,
    crs: Annotated[str | None, typer.Option(help="CRS of the file, such as EPSG:4326 or 'EPSG:3405 zone=48'.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Encoding of its text: tcvn3, vni, viscii, cp1258, utf-8; found if not given.")
    ] = None,
    table: Annotated[str | None, typer.Option(help="Table inside the file.")] = None,
    source: Annotated[str | None, typer.Option(help="Id of the source; from the file name if not given.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the data.")] = "unknown",
    attribution: Annotated[str, typer.Option(help="Whom to name.")] = "unknown",
    catalog: Annotated[bool, typer.Option("--catalog", help="Load all sources of the catalogue.")] = False,
    only_changed: Annotated[
        bool, typer.Option("--only-changed", help="Skip files loaded before with the same content, mapping and code.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read, check, count and say what would change; write nothing.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove stored rows of the source that the file no longer has.")
    ] = False,
    confirmed: Annotated[bool, typer.Option("--yes", help="Prune even more than half of a source.")] = False,
    overwrite_edits: Annotated[
        bool, typer.Option("--overwrite-edits", help="Let the file win over edits by hand.")
    ] = False,
    is_proposal: Annotated[
        bool, typer.Option("--propose", help="Write a mapping for the file, to be reviewed; load nothing.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(help="Where --propose writes; beside the file, as <file>.mapping.yml, if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Nạp dữ liệu vào thành phố — load data into the city."""
    if (path is None) == (not catalog):
        raise InputError(
            "nothing to load" if path is None else "give a file or --catalog, not both", hint="twin load -h"
        )
    if is_proposal and path is None:
        raise InputError("--propose needs a file")
    settings = read_settings()
    file = None if path is None else fetch_file(path, settings)
    if is_proposal and file is not None:
        propose(
            file,
            layer=layer,
            to=to,
            table=table,
            crs=crs,
            encoding=encoding,
            as_json=as_json,
            find_area=partial(_find_area, settings),
        )
        return
    if file is None:
        sources, base = _choose_sources(settings, source, layer), settings.catalog_path.parent
    else:
        given = mapping if mapping is None or _is_packaged(mapping) else str(Path(mapping).resolve())
        sources, base = (_describe(file, source, layer, given, table, licence, attribution),), Path.cwd()
    how = How(crs, encoding, dry_run, only_changed, Policy(prune, confirmed, overwrite_edits))
    failures: list[Failure] | None = [] if catalog else None
    engine = connect(settings)
    reports = load_all(engine, settings, sources, base, how, failures=failures)
    if catalog and source is None and not layer and not dry_run:
        load_feeds(engine, settings, read_catalog(settings.catalog_path))
    if file is not None and mapping is None and find_beside(file, table).is_file():
        for report in reports:
            report.notes = (*report.notes, f"mapping {find_beside(file, table).name}, found beside the file")
    if as_json:
        told = [{"source": one.source, "error": str(one.error)} for one in failures or ()]
        typer.echo(orjson.dumps([*(report.as_dict() for report in reports), *told]).decode())
    else:
        print_reports(reports)
    if failures:
        for one in failures:
            typer.echo(f"{one.source}: {one.error}", err=True)
        raise typer.Exit(1)


def load_feeds(engine: Engine, settings: Settings, catalog: Catalog) -> None:
    """Take in the feeds of public transport that the catalogue lists; what did not change is left alone."""
    if not catalog.transit:
        return
    base, fetched = settings.catalog_path.parent, settings.raw_dir / FETCHED
    with show_progress("Transit") as report:
        load_transit(
            engine,
            catalog.transit,
            base,
            fetched,
            author=getpass.getuser(),
            private_hosts=settings.private_callback_hosts,
            follow=report,
        )


def _find_area(settings: Settings) -> CityArea | None:
    """Return where the city is, or None where there is no city yet."""
    try:
        with connect_to_city(settings).connect() as connection:
            return read_area(connection)
    except DatabaseError:
        return None


class How(NamedTuple):
    """What the command line says of all the files it loads."""

    crs: str | None = None
    encoding: str | None = None
    dry_run: bool = False
    only_changed: bool = False
    policy: Policy = Policy()


class Failure(NamedTuple):
    """A source that could not be loaded, and why."""

    source: str
    error: TwinError


def fetch_file(path: str, settings: Settings) -> Path:
    """Return the file that ``path`` stands for: itself, or what is behind an address."""
    if not is_url(path):
        return Path(path)
    with show_progress(path) as tell:
        return fetch(path, settings.raw_dir / FETCHED, progress=tell, private_hosts=settings.private_callback_hosts)


def _choose_sources(settings: Settings, source: str | None, layer: str) -> tuple[Source, ...]:
    known = read_catalog(settings.catalog_path).sources
    sources = tuple(one for one in known if source in (None, one.id) and layer in ("", one.layer))
    if not sources:
        raise InputError("the catalogue lists no such source", hint=f"it has {', '.join(one.id for one in known)}")
    return sources


def _is_packaged(mapping: str) -> bool:
    return "." not in mapping and "/" not in mapping


def _describe(
    path: Path, source: str | None, layer: str, mapping: str | None, table: str | None, licence: str, attribution: str
) -> Source:
    """Return the source that a path on the command line stands for."""
    name = source or re.sub(r"[^a-z0-9_.-]+", "-", path.name.split(".")[0].lower()).strip("-._")[:80] or "file"
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,80}", name):
        raise InputError(f"source id '{name}' is not made of lower-case letters, digits, dots, - and _")
    if mapping is None and find_beside(path, table).is_file():
        mapping = str(find_beside(path, table).resolve())
    if not layer and mapping is None:
        if path.suffix.lower() not in OSM:
            raise InputError(
                f"{path}: which layer does it go to?",
                hint="give --layer or --mapping, or let one be written with --propose",
            )
        mapping = "osm"
    return Source(
        id=name,
        uri=str(path.resolve()),
        kind="raster" if path.suffix.lower() in RASTERS else "features",
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
    how: How = How(),
    *,
    failures: list[Failure] | None = None,
) -> list[LoadReport]:
    """Load one source after the other behind one bar and return a report a layer.

    A source that fails ends it, unless ``failures`` is there to take what was wrong.
    """
    reports: list[LoadReport] = []
    with show_progress("Layers" if len(sources) > 1 else sources[0].id) as report:
        for position, one in enumerate(sources):

            def tell(fraction: float, message: str, done: int = position) -> None:
                report((done + fraction) / len(sources), message)

            try:
                reports += load_source(
                    engine,
                    one,
                    base,
                    crs=how.crs,
                    encoding=how.encoding,
                    dry_run=how.dry_run,
                    only_changed=how.only_changed,
                    policy=how.policy,
                    processed_dir=settings.processed_dir,
                    object_store=settings.object_store,
                    fetched_dir=settings.raw_dir / FETCHED,
                    private_hosts=settings.private_callback_hosts,
                    progress=tell,
                )
            except TwinError as error:
                if failures is None:
                    raise
                failures.append(Failure(one.id, error))
    return reports
