"""The features of one file, chunk by chunk, into the layers they feed: read, decoded, cleaned, staged, stored."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from pyproj import CRS
from sqlalchemy import Connection

from layers.errors import ConflictError, MappingError
from layers.ingest.catalog import Source
from layers.ingest.clean import Cleaned, Facts, check_sample, choose_default_rule, clean_chunk, list_ignored, reject
from layers.ingest.crs import WGS84
from layers.ingest.identifiers import Met
from layers.ingest.locate import NO_WARDS, Wards, guess_pair, locate
from layers.ingest.mapping import GeometryRule, LayerRule, Mapping
from layers.ingest.payloads import digest_payload, write_crs
from layers.ingest.personal import find_personal_columns
from layers.ingest.placing import place_file
from layers.ingest.quality import LoadReport, Problem, count_reasons
from layers.ingest.raw import ROWS, Opened, Raw, cut_chunks, join_chunks
from layers.ingest.readers import open_file
from layers.ingest.shapes import exchange_axes
from layers.ingest.text.encodings import Encoding, choose_encoding, decode_frame
from layers.registry import read_vector_layer
from layers.store.area import read_area
from layers.store.edits import begin_edit
from layers.store.loads import lock_loads, start_load
from layers.store.quarantine import clear_quarantine, drop_settled, read_settled, write_rejections
from layers.store.stage import (
    compare_stage,
    copy_rows,
    count_stored,
    find_foreign,
    find_staged,
    has_foreign,
    hold_ids,
    list_differences,
    open_stage,
    prune_stage,
    store_stage,
)
from layers.store.wards import read_ward_shapes

# What is decided once for a file is decided on so many of its first rows.
SAMPLE = 20_000
TWICE = "identifier appears twice in the file"
_FOREIGN = Problem("id", None, "identifier belongs to another source", "give this source an 'id_prefix' in its mapping")
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a load may do to rows that are stored already, in whose name, and how many rows it reads at a time.

    ``prune`` deletes stored rows that the file no longer has; more than half of a source only when ``confirmed``.
    ``overwrite_edits`` lets the file win over edits by hand.
    """

    prune: bool = False
    confirmed: bool = False
    overwrite_edits: bool = False
    author: str = "twin load"
    rows: int = ROWS


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is loaded: the CRS and encoding given for it, whether anything is written, and the policy."""

    crs: str | None = None
    encoding: str | None = None
    dry_run: bool = False
    policy: Policy = Policy()


def load_features(
    connection: Connection,
    source: Source,
    path: Path,
    mapping: Mapping | None,
    target: CRS,
    options: Options,
    tell: Progress,
) -> list[LoadReport]:
    """Load the features of the file at ``path`` in the caller's transaction and return one report a layer.

    While it reads, the layers can be edited; while it stores, edits wait.
    """
    grouped = group_rules(source, mapping)
    tell(0.02, f"{source.id}: opening")
    with _open(source, path, grouped, options) as opened:
        sample, chunks = _take_sample(opened, options.policy.rows)
        decoder = Decoder(opened, options.encoding)
        sample = decoder.decode(sample)
        columns = tuple(map(str, sample.frame.columns))
        facts, said = _find_facts(connection, sample, source, path, mapping, target, options)
        personal = _find_personal(sample, grouped)
        facts = replace(facts, hidden=frozenset(personal))
        shares = [
            _Share(connection, source, layer_id, _complete(layer_id, rules, sample, path), facts, options)
            for layer_id, rules in grouped.items()
        ]
        for share in shares:
            check_sample(sample, share.layer, share.rules, facts)
        if not options.dry_run:
            lock_loads(connection, grouped)
        for share in shares:
            share.begin()
        skipped, rows = _Skipped(), 0
        for raw in map(decoder.decode, chunks):
            chosen = [share.take(raw) for share in shares]
            skipped.count(raw, np.logical_or.reduce(chosen))
            rows += len(raw.frame)
            share_done = rows / opened.count if opened.count else 0.5
            tell(0.05 + 0.65 * min(share_done, 1.0), f"{source.id}: {rows:,} rows")
    if not options.dry_run:
        # Not before: from here on edits of these layers wait.
        author, file = options.policy.author, path.name
        begin_edit(connection, author=author, reason=file, kind="load", source=source.id, layers=grouped)
    reports = []
    for position, share in enumerate(shares):
        tell(0.7 + 0.3 * position / len(shares), f"{source.id}: storing {share.layer.id}")
        report = share.finish()
        report.skipped = skipped.rows
        report.notes = (*opened.notes, *decoder.notes)
        report.encoding, report.crs, report.personal = decoder.words, said, personal
        report.ignored_columns = list_ignored(columns, share.rules, facts.hidden)
        reports.append(report)
    return reports


def group_rules(source: Source, mapping: Mapping | None) -> dict[str, tuple[LayerRule, ...]]:
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


def _complete(layer_id: str, rules: tuple[LayerRule, ...], sample: Raw, path: Path) -> tuple[LayerRule, ...]:
    """Return the rules for one layer, the default one if there are none, with the columns of coordinates named."""
    columns = tuple(map(str, sample.frame.columns))
    rules = rules or (choose_default_rule(read_vector_layer(layer_id), columns),)
    if sample.shapes is not None:
        return rules
    return tuple(rule if rule.geometry.columns else _name_coordinates(rule, sample, path) for rule in rules)


def _name_coordinates(rule: LayerRule, sample: Raw, path: Path) -> LayerRule:
    x, y = guess_pair(sample.frame, path)
    return rule.model_copy(update={"geometry": rule.geometry.model_copy(update={"x": x, "y": y})})


def _open(source: Source, path: Path, grouped: dict[str, tuple[LayerRule, ...]], options: Options) -> Opened:
    """Open the file; of OpenStreetMap only objects with a tag some rule asks for, and only the tags used."""
    rules = [rule for group in grouped.values() for rule in group]
    keys = {
        name
        for rule in rules
        for tests in rule.where
        for name, test in tests.items()
        if not name.startswith("@") and (test.any_of is not None or test.exists)
    }
    tags = {name for rule in rules for name in rule.columns if not name.startswith("@")}
    return open_file(
        path, table=source.table, keys=tuple(sorted(keys)), tags=tuple(sorted(tags)), encoding=options.encoding
    )


def _take_sample(opened: Opened, rows: int) -> tuple[Raw, Iterator[Raw]]:
    """Return the first rows of the file, as many whatever the size of a chunk, and all chunks."""
    chunks = opened.read(rows)
    taken: list[Raw] = []
    for chunk in chunks:
        taken.append(chunk)
        if sum(len(one.frame) for one in taken) >= SAMPLE:
            break
    joined = join_chunks(replace(opened, chunks=lambda _: iter(taken)))
    return next(cut_chunks(joined, SAMPLE)), chain(taken, chunks)


class Decoder:
    """Brings a file's text to NFC Unicode; the encoding is chosen once, when the first letter beyond ASCII is met."""

    def __init__(self, opened: Opened, given: str | None) -> None:
        self._undecoded, self._given = opened.undecoded, given
        self._counted: Counter[str] = Counter()
        self.encoding: Encoding | None = None

    def decode(self, raw: Raw) -> Raw:
        """Return the chunk with its names and cells decoded."""
        if self.encoding is None or self.encoding.name == "ascii":
            self.encoding = choose_encoding(list(_list_texts(raw.frame)), undecoded=self._undecoded, given=self._given)
        return replace(raw, frame=decode_frame(raw.frame, self.encoding, self._counted))

    @property
    def words(self) -> str | None:
        """What was found, as the report says it."""
        return self.encoding.describe() if self.encoding else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to how many cells."""
        return tuple(f"{count:,} {what}" for what, count in self._counted.items() if count)


def _list_texts(frame: pd.DataFrame) -> Iterator[str]:
    yield from (name for name in frame.columns if isinstance(name, str))
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at]
        if pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype):
            yield from (cell for cell in column.astype(object).unique() if isinstance(cell, str))


def _find_facts(
    connection: Connection,
    sample: Raw,
    source: Source,
    path: Path,
    mapping: Mapping | None,
    target: CRS,
    options: Options,
) -> tuple[Facts, str]:
    """Return what holds for the whole file, and how its CRS was found."""
    area = read_area(connection)
    rules = next(iter(group_rules(source, mapping).values()))
    geometry = rules[0].geometry if rules else GeometryRule()
    wards = _read_wards(connection, mapping, path)
    located = locate(sample, geometry, path, wards).shapes
    assert located is not None
    if geometry.swap != "no":
        turned = exchange_axes(located, "yes", target, area, Counter())
        located = turned if geometry.swap == "yes" else np.concatenate([located, turned])
    chosen = place_file(
        str(path),
        located,
        area,
        given=WGS84 if wards else options.crs or source.crs,
        declared=sample.crs,
        default=mapping.crs if mapping else None,
        is_table=sample.shapes is None,
    )
    return Facts(path, chosen.crs, target, area=area, wards=wards), chosen.words


def _read_wards(connection: Connection, mapping: Mapping | None, path: Path) -> Wards:
    """Return the wards' boundaries where the mapping places rows by ward code."""
    by_ward = [rule.geometry.ward is not None for rule in mapping.layers] if mapping else []
    if any(by_ward) and not all(by_ward):
        raise MappingError(f"{path}: either all rules of its mapping place rows by ward or none does")
    return read_ward_shapes(connection) if any(by_ward) else NO_WARDS


def _find_personal(sample: Raw, grouped: dict[str, tuple[LayerRule, ...]]) -> dict[str, str]:
    """Return the columns that hold personal data and why; those a row is chosen, named or placed by are none."""
    rules = [rule for group in grouped.values() for rule in group]
    keep = {
        name for rule in rules for name in (*rule.keep, *rule.id_columns, *(name for one in rule.where for name in one))
    }
    keep |= {name for rule in rules for name in rule.geometry.columns}
    return find_personal_columns(sample.frame, keep)


class _Skipped:
    """Counts the rows no layer wanted; an OpenStreetMap object read as line and as area is one."""

    def __init__(self) -> None:
        self._rows = 0
        self._all: set[object] = set()
        self._wanted: set[object] = set()

    def count(self, raw: Raw, chosen: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> None:
        if "@id" in raw.frame.columns:
            self._all.update(raw.frame["@id"])
            self._wanted.update(raw.frame["@id"][chosen])
        else:
            self._rows += int((~chosen).sum())

    @property
    def rows(self) -> int:
        return self._rows + len(self._all - self._wanted)


class _Share:
    """One layer's share of a file on its way in."""

    def __init__(
        self,
        connection: Connection,
        source: Source,
        layer_id: str,
        rules: tuple[LayerRule, ...],
        facts: Facts,
        options: Options,
    ) -> None:
        self.layer, self.rules = read_vector_layer(layer_id), rules
        self._connection, self._source, self._facts, self._options = connection, source, facts, options
        self._report = LoadReport(source.id, layer_id)
        self._met = Met()
        self._keys = {"source_id": source.id, "layer_id": layer_id}

    def begin(self) -> None:
        """Make the stage and, unless nothing is to be written, the record of the load."""
        keys = self._keys
        self._stage = open_stage(self._connection, self.layer, source_id=self._source.id)
        self._among_others = has_foreign(self._stage)
        self._settled = read_settled(self._connection, **keys)
        if not self._options.dry_run:
            rules = [rule.model_dump(mode="json", by_alias=True, exclude_defaults=True) for rule in self.rules]
            plan = {
                "rules": rules,
                "crs": write_crs(self._facts.source_crs),
                "hidden": sorted(self._facts.hidden),
            }
            self._report.load_id = start_load(self._connection, **keys, uri=self._facts.path.name, plan=plan)

    def take(self, raw: Raw) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Clean one chunk, stage its good rows, put the others in quarantine; return which rows were chosen."""
        cleaned = clean_chunk(raw, self.layer, self.rules, self._facts)
        cleaned = reject(cleaned, raw, self._facts, self.rules, self._find_late(cleaned))
        copy_rows(self._stage, cleaned.frame, cleaned.rows)
        self._quarantine(cleaned)
        report = self._report
        report.read += cleaned.read
        report.repaired += cleaned.repaired
        report.conversions += cleaned.conversions
        report.reasons += count_reasons(cleaned.rejections)
        report.quarantined += len(cleaned.rejections)
        return cleaned.chosen

    def _find_late(self, cleaned: Cleaned) -> dict[int, Problem]:
        """Return the good rows that cannot be stored for their identifier: met before, or another source's."""
        ids = cleaned.frame["id"]
        late: dict[int, Problem] = {}
        if self._among_others and len(ids):
            foreign = find_foreign(self._stage, ids.tolist())
            late = {int(at): replace(_FOREIGN, value=ids.iloc[at]) for at in np.flatnonzero(ids.isin(foreign))}
        kept = np.ones(len(ids), dtype=bool)
        kept[list(late)] = False
        again = ids.duplicated().to_numpy(dtype=bool)
        maybe = self._met.meet(ids)
        staged = find_staged(self._stage, ids[maybe].unique().tolist()) if maybe.any() else {}
        if again.any() or staged:
            first = dict(zip(ids[kept & ~again], cleaned.rows[kept & ~again], strict=True)) | staged
            for at in np.flatnonzero(kept & (again | maybe)):
                one = ids.iloc[at]
                if first[one] != cleaned.rows[at]:
                    late[int(at)] = Problem("id", one, TWICE, f"row {first[one]} has it")
        return late

    def _quarantine(self, cleaned: Cleaned) -> None:
        """Put rejected rows in quarantine, except those that were mended or dismissed when they came before."""
        held = [one.feature_id for one in cleaned.rejections if one.feature_id is not None]
        fresh = []
        for one in cleaned.rejections:
            digest = digest_payload(one.payload) if self._settled else ""
            if digest in self._settled:
                self._report.settled += 1
                held.append(self._settled[digest] or "")
            else:
                fresh.append(one)
        if held:
            hold_ids(self._stage, held)
        if fresh and not self._options.dry_run:
            write_rejections(
                self._connection,
                fresh,
                source_id=self._source.id,
                layer_id=self.layer.id,
                uri=self._facts.path.name,
                load_id=self._report.load_id,
            )

    def _look_again(self) -> None:
        """Put the rejected rows in place of those of loads before, without those that were settled meanwhile."""
        assert self._report.load_id is not None
        clear_quarantine(self._connection, **self._keys, load_id=self._report.load_id)
        settled = drop_settled(self._connection, self._report.load_id)
        self._report.settled += len(settled)
        if features := [one for one in settled if one is not None]:
            hold_ids(self._stage, features)

    def finish(self) -> LoadReport:
        """Store what was staged and return the report."""
        report, dry_run, policy = self._report, self._options.dry_run, self._options.policy
        if not dry_run:
            self._look_again()
        counts = compare_stage(self._stage, overwrite_edits=policy.overwrite_edits)
        report.new, report.changed, report.loaded = counts.new, counts.changed, counts.new + counts.changed
        report.unchanged, report.edited, report.gone = counts.unchanged, counts.edited, counts.gone
        report.diff = list_differences(self._stage, counts)
        if policy.prune and counts.gone:
            report.pruned = counts.gone
            stored = count_stored(self._stage)
            if 2 * counts.gone > stored and not (policy.confirmed or dry_run):
                raise ConflictError(
                    f"pruning would remove {counts.gone:,} of the {stored:,} rows that source '{self._source.id}' "
                    f"has in layer '{self.layer.id}'",
                    hint="if the file is whole and that is meant, say --yes",
                )
        if not dry_run:
            store_stage(self._stage, counts)
            if report.pruned:
                prune_stage(self._stage)
        return report
