"""The sources on record: who gave the data, under which licence, when they were last loaded."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from layers.ingest.catalog import Source


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
