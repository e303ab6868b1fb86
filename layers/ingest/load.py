"""One source from its file into the city: read, map, clean, store — all of it, or nothing."""

import hashlib
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pyproj import CRS
from sqlalchemy import Engine

from layers.errors import SourceError
from layers.ingest.catalog import Source
from layers.ingest.fetch import fetch, is_url
from layers.ingest.mapping import PACKAGED, Mapping, read_mapping
from layers.ingest.observations import load_observations
from layers.ingest.quality import LoadReport
from layers.ingest.rasters import load_raster
from layers.ingest.readers import OSM
from layers.ingest.stream import Options, Policy, Progress, load_features
from layers.store.loads import finish_load, start_load
from layers.store.migrate import read_city
from layers.store.sources import read_source, register_source


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a source comes to before a row is read: its file, its rules by layer and what they were made from."""

    path: Path
    mapping: Mapping | None
    fingerprint: str


def load_source(
    engine: Engine,
    source: Source,
    base: Path,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    dry_run: bool = False,
    only_changed: bool = False,
    policy: Policy | None = None,
    processed_dir: Path | None = None,
    object_store: str | None = None,
    fetched_dir: Path | None = None,
    private_hosts: Collection[str] = (),
    progress: Progress | None = None,
) -> list[LoadReport]:
    """Load ``source``, whose paths are relative to ``base``, and return one report a layer.

    Everything happens in one transaction: an error leaves the database as it was. A dry run reads, checks and counts,
    and writes nothing. ``only_changed`` skips a file that was loaded before with the same content, mapping and code;
    its reports say ``is_current``. ``crs`` and ``encoding`` overrule what the file says; ``policy`` says what becomes
    of rows that are gone or were edited. Rasters go to ``processed_dir``, and from there to ``object_store`` where one
    is, files behind addresses to ``fetched_dir``, from public hosts and ``private_hosts``.
    Raises SourceError, MappingError or CrsError naming the file and what is wrong with it, ConflictError for what the
    policy does not allow.
    """
    started = time.monotonic()
    tell = progress or _keep_quiet
    notes: list[str] = []
    path = base / source.uri
    if is_url(source.uri):
        if fetched_dir is None:
            raise SourceError(f"{source.uri} needs a folder of fetched files to go to")
        path = fetch(source.uri, fetched_dir, progress=tell, private_hosts=private_hosts, notes=notes)
    plan = _plan(source, path, base, crs, encoding)
    if only_changed and not dry_run:
        with engine.connect() as connection:
            known = read_source(connection, source.id)
        if known is not None and known.fingerprint == plan.fingerprint:
            return [LoadReport(source.id, layer, is_current=True) for layer in known.layers]
    with engine.begin() as connection:
        target = CRS.from_epsg(read_city(connection).srid)
        if source.kind == "raster":
            reports = [
                load_raster(
                    connection,
                    source,
                    plan.path,
                    target,
                    processed_dir,
                    plan.fingerprint,
                    object_store=object_store,
                    crs=crs,
                    dry_run=dry_run,
                )
            ]
        elif source.kind == "observations":
            reports = [load_observations(connection, source, plan.path, base, dry_run=dry_run)]
        else:
            options = Options(crs, encoding, dry_run, policy or Policy())
            reports = load_features(connection, source, plan.path, plan.mapping, target, options, tell)
        for report in reports:
            report.seconds = time.monotonic() - started
            report.dry_run = dry_run
            report.notes = (*notes, *report.notes)
            if not dry_run:
                if report.load_id is None:
                    report.load_id = start_load(
                        connection, source_id=source.id, layer_id=report.layer, uri=plan.path.name
                    )
                finish_load(connection, report.load_id, report)
        if dry_run:
            connection.rollback()
        else:
            fed = tuple(report.layer for report in reports)
            register_source(connection, source, uri=source.uri, fingerprint=plan.fingerprint, layers=fed)
    tell(1.0, source.id)
    return reports


def _keep_quiet(_fraction: float, _message: str) -> None:
    """Take progress from a load nobody watches."""


def _plan(source: Source, path: Path, base: Path, crs: str | None, encoding: str | None) -> _Plan:
    mapping_path = find_mapping(source.mapping, base)
    if mapping_path is None and path.suffix.lower() in OSM:
        mapping_path = find_mapping("osm", base)
    mapping = read_mapping(mapping_path) if mapping_path is not None else None
    files = [path, *([base / source.datastreams] if source.datastreams else [])]
    words = [
        source.model_dump_json(),
        str(crs),
        str(encoding),
        mapping.model_dump_json() if mapping else "",
        _read_code(),
    ]
    return _Plan(path, mapping, _make_fingerprint(files, words))


def find_mapping(name: str | None, base: Path) -> Path | None:
    """Return the path of a mapping: a packaged one by its bare name (``osm``), others relative to ``base``."""
    if name is None:
        return None
    packaged = PACKAGED / f"{name}.yml"
    return packaged if "." not in name and packaged.is_file() else base / name


def _read_code() -> str:
    """Return a digest of the code that reads and cleans and of the declarations: when it changes, files load anew."""
    root = Path(__file__).resolve().parent
    code = [*sorted(root.rglob("*.py")), *sorted((root.parent / "types").glob("*.py")), root.parent / "quantities.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in code)).hexdigest()


def _make_fingerprint(files: list[Path], words: list[str]) -> str:
    digest = hashlib.sha256("\n".join(words).encode())
    for path in files:
        if path.is_file():
            with path.open("rb") as opened:
                while block := opened.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()
