"""The sources on record: who gave the data, under which licence, when they were last loaded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from layers.ingest.catalog import BY_HAND, Source
from layers.registry import VECTOR_LAYERS
from layers.store.names import quote
from layers.store.tables import CITY


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source as the database knows it; ``layers`` are those it feeds."""

    id: str
    layers: tuple[str, ...]
    title_vi: str
    title_en: str
    uri: str
    licence: str
    attribution: str
    synthetic: bool
    fingerprint: str | None
    loaded_at: datetime | None

    @property
    def layer(self) -> str:
        """The layers it feeds as one word."""
        return ",".join(self.layers)


def register_source(
    connection: Connection, source: Source, *, uri: str, fingerprint: str, layers: tuple[str, ...] = ()
) -> None:
    """Record that ``source`` was loaded now from ``uri`` with this ``fingerprint`` into ``layers``.

    Layers it fed before stay on its record: their rows are still there.
    """
    before = read_source(connection, source.id)
    fed = tuple(sorted({*(before.layers if before else ()), *(layers or (source.layer,))} - {""}))
    connection.execute(
        text(
            "insert into meta.source "
            "(id, layer, title_vi, title_en, uri, licence, attribution, synthetic, fingerprint, loaded_at) values "
            "(:id, :layer, :title_vi, :title_en, :uri, :licence, :attribution, :synthetic, :fingerprint, now()) "
            "on conflict (id) do update set layer = excluded.layer, title_vi = excluded.title_vi, "
            "title_en = excluded.title_en, uri = excluded.uri, licence = excluded.licence, "
            "attribution = excluded.attribution, synthetic = excluded.synthetic, "
            "fingerprint = excluded.fingerprint, loaded_at = excluded.loaded_at"
        ),
        {
            "id": source.id,
            "layer": ",".join(fed),
            "title_vi": source.title.vi,
            "title_en": source.title.en,
            "uri": Path(uri).name,
            "licence": source.licence,
            "attribution": source.attribution,
            "synthetic": source.synthetic,
            "fingerprint": fingerprint,
        },
    )


def ensure_edit_source(connection: Connection, declaration: Mapping[str, object]) -> None:
    """Put the source of features made by hand on record, with the licence and attribution of the city."""
    holds = [
        f"select '{layer_id}' as layer where exists "
        f"(select 1 from {CITY}.{quote(layer_id)} where source_id = '{BY_HAND}')"
        for layer_id in VECTOR_LAYERS
    ]
    connection.execute(
        text(
            "insert into meta.source (id, layer, title_vi, title_en, uri, licence, attribution, synthetic) "
            "select :id, coalesce(string_agg(layer, ',' order by layer), ''), :vi, :en, '', :licence, :attribution, "
            f":synthetic from ({' union all '.join(holds)}) as held on conflict (id) do update set "
            "layer = excluded.layer, title_vi = excluded.title_vi, title_en = excluded.title_en, "
            "licence = excluded.licence, attribution = excluded.attribution, synthetic = excluded.synthetic"
        ),
        {
            "id": BY_HAND,
            "vi": "Nhập và sửa bằng tay",
            "en": "Entered and edited by hand",
            "licence": declaration.get("licence") or "",
            "attribution": declaration.get("attribution") or "",
            "synthetic": bool(declaration.get("synthetic")),
        },
    )


def note_layers(connection: Connection, source_id: str, layer_ids: Iterable[str]) -> None:
    """Record that a source feeds these layers too."""
    for layer_id in sorted(set(layer_ids)):
        connection.execute(
            text(
                "update meta.source set layer = concat_ws(',', nullif(layer, ''), cast(:layer as text)) "
                "where id = :id and :layer <> all(string_to_array(layer, ','))"
            ),
            {"id": source_id, "layer": layer_id},
        )


def read_source(connection: Connection, source_id: str) -> SourceRow | None:
    """Return the source called ``source_id``, or None when it was never loaded."""
    return next((row for row in list_sources(connection) if row.id == source_id), None)


def list_sources(connection: Connection, layer: str | None = None) -> list[SourceRow]:
    """Return the sources on record, those of ``layer`` only if given, by id."""
    rows = connection.execute(
        text(
            "select id, string_to_array(layer, ',') as layers, title_vi, title_en, uri, licence, attribution, "
            "synthetic, fingerprint, loaded_at from meta.source "
            "where cast(:layer as text) is null or :layer = any(string_to_array(layer, ',')) order by id"
        ),
        {"layer": layer},
    )
    return [SourceRow(row.id, tuple(row.layers), *row[2:]) for row in rows]
