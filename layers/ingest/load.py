"""One source from its file into the city: read, map, clean, store — all of it, or nothing."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS
from sqlalchemy import Connection, Engine

from layers.errors import MappingError
from layers.ingest.catalog import Source
from layers.ingest.clean import Cleaned, choose_default_rule, clean_layer, reject
from layers.ingest.crs import choose_crs
from layers.ingest.mapping import PACKAGED, LayerRule, Mapping, read_mapping
from layers.ingest.observations import load_observations
from layers.ingest.quality import LoadReport
from layers.ingest.rasters import load_raster
from layers.ingest.readers import OSM, Raw, read_file
from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from layers.store.loads import lock_layer, record_load
from layers.store.migrate import read_city
from layers.store.quarantine import link_load, replace_quarantine
from layers.store.sources import read_source, register_source

Progress = Callable[[float, str], None]


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
    dry_run: bool = False,
    only_changed: bool = False,
    processed_dir: Path | None = None,
    progress: Progress | None = None,
) -> list[LoadReport]:
    """Load ``source``, whose paths are relative to ``base``, and return one report a layer.

    Everything happens in one transaction: an error leaves the database as it was. A dry run reads, checks and counts,
    and writes nothing. ``only_changed`` skips a file that was loaded before with the same content, mapping and code;
    its reports say ``is_current``. Rasters go to ``processed_dir``. Raises SourceError, MappingError or CrsError naming
    the file and what is wrong with it.
    """
    started = time.monotonic()
    tell = progress or _keep_quiet
    plan = _plan(source, base, crs)
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
                    connection, source, plan.path, target, processed_dir, plan.fingerprint, crs=crs, dry_run=dry_run
                )
            ]
        elif source.kind == "observations":
            reports = [load_observations(connection, source, plan.path, base, dry_run=dry_run)]
        else:
            reports = _load_features(connection, source, plan, target, crs=crs, dry_run=dry_run, tell=tell)
        for report in reports:
            report.seconds = time.monotonic() - started
            report.dry_run = dry_run
            if not dry_run:
                load_id = record_load(connection, report, uri=plan.path.name)
                link_load(connection, load_id, source_id=source.id, layer_id=report.layer)
        if dry_run:
            connection.rollback()
        else:
            fed = tuple(report.layer for report in reports)
            register_source(connection, source, uri=source.uri, fingerprint=plan.fingerprint, layers=fed)
    tell(1.0, source.id)
    return reports


def _keep_quiet(_fraction: float, _message: str) -> None:
    """Take progress from a load nobody watches."""


def _plan(source: Source, base: Path, crs: str | None) -> _Plan:
    path = base / source.uri
    mapping_path = find_mapping(source.mapping, base)
    if mapping_path is None and path.suffix.lower() in OSM:
        mapping_path = find_mapping("osm", base)
    mapping = read_mapping(mapping_path) if mapping_path is not None else None
    files = [path, *([base / source.datastreams] if source.datastreams else [])]
    words = [source.model_dump_json(), str(crs), mapping.model_dump_json() if mapping else "", _read_code()]
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
    code = [*sorted(root.glob("*.py")), *sorted((root.parent / "types").glob("*.py")), root.parent / "quantities.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in code)).hexdigest()


def _make_fingerprint(files: list[Path], words: list[str]) -> str:
    digest = hashlib.sha256("\n".join(words).encode())
    for path in files:
        if path.is_file():
            with path.open("rb") as opened:
                while block := opened.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()


def _load_features(
    connection: Connection,
    source: Source,
    plan: _Plan,
    target: CRS,
    *,
    crs: str | None,
    dry_run: bool,
    tell: Progress,
) -> list[LoadReport]:
    """Read, clean and store the features of one file; nothing is written before the whole file is clean."""
    tell(0.05, f"{source.id}: reading")
    by_layer = _group_rules(source, plan.mapping)
    raw = _read(source, plan.path, by_layer)
    default = plan.mapping.crs if plan.mapping else None
    source_crs = choose_crs(
        str(plan.path), given=crs or source.crs, declared=raw.crs, default=default, is_table=raw.shapes is None
    )
    parts = []
    for position, (layer_id, rules) in enumerate(by_layer.items()):
        tell(0.2 + 0.4 * position / len(by_layer), f"{source.id}: checking {layer_id}")
        layer = read_vector_layer(layer_id)
        chosen = rules or (choose_default_rule(layer, raw),)
        parts.append(clean_layer(raw, layer, chosen, source_crs=source_crs, target_crs=target, path=plan.path))
    skipped = _count_skipped(raw, np.logical_or.reduce([part.chosen for part in parts]))
    reports = []
    for position, part in enumerate(parts):
        tell(0.6 + 0.4 * position / len(parts), f"{source.id}: storing {part.layer.id}")
        report = _store(connection, source, part, plan.path.name, dry_run=dry_run)
        report.skipped, report.notes = skipped, raw.notes
        reports.append(report)
    return reports


def _count_skipped(raw: Raw, chosen: NDArray[np.bool_]) -> int:
    """Return how many rows no layer wanted; an OpenStreetMap object read as line and as area is one."""
    if "@id" not in raw.frame.columns:
        return int((~chosen).sum())
    wanted = set(raw.frame["@id"][chosen])
    return int((~raw.frame["@id"].drop_duplicates().isin(wanted)).sum())


def _group_rules(source: Source, mapping: Mapping | None) -> dict[str, tuple[LayerRule, ...]]:
    """Return the rules of every layer the source feeds; none stand for the default rule."""
    if mapping is None:
        return {source.layer: ()}
    grouped: dict[str, tuple[LayerRule, ...]] = {}
    for rule in mapping.layers:
        if source.layer in ("", rule.layer):
            grouped[rule.layer] = (*grouped.get(rule.layer, ()), rule)
    if not grouped:
        named = ", ".join(sorted({rule.layer for rule in mapping.layers}))
        raise MappingError(f"the mapping of source '{source.id}' feeds {named}, not '{source.layer}'")
    return grouped


def _read(source: Source, path: Path, by_layer: dict[str, tuple[LayerRule, ...]]) -> Raw:
    """Read the file; of OpenStreetMap only objects with a tag some rule asks for, and only the tags used."""
    rules = [rule for group in by_layer.values() for rule in group]
    keys = {
        name
        for rule in rules
        for tests in rule.where
        for name, test in tests.items()
        if not name.startswith("@") and (test.any_of is not None or test.exists)
    }
    tags = {name for rule in rules for name in rule.columns if not name.startswith("@")}
    return read_file(path, table=source.table, keys=tuple(sorted(keys)), tags=tuple(sorted(tags)))


def _store(connection: Connection, source: Source, part: Cleaned, uri: str, *, dry_run: bool) -> LoadReport:
    """Write one layer's rows and rejections and return the counts."""
    if not dry_run:
        lock_layer(connection, part.layer.id)
    counts = upsert_features(connection, part.layer, part.frame, source_id=source.id, dry_run=dry_run)
    if counts.foreign:
        taken = part.frame["id"].isin(counts.foreign).to_numpy(dtype=bool)
        hint = "give this source an 'id_prefix' in its mapping"
        part = reject(part, taken, "identifier belongs to another source", [hint] * int(taken.sum()))
    if not dry_run:
        replace_quarantine(connection, part.rejections, source_id=source.id, layer_id=part.layer.id, uri=uri)
    reasons = Counter(f"{one.field}: {one.reason}" if one.field else one.reason for one in part.rejections)
    return LoadReport(
        source.id,
        part.layer.id,
        read=part.read,
        loaded=counts.new + counts.changed,
        unchanged=counts.unchanged,
        quarantined=len(part.rejections),
        gone=counts.gone,
        repaired=part.repaired,
        conversions=part.conversions,
        ignored_columns=part.ignored_columns,
        reasons=reasons,
    )
