"""Which properties of which layers are searched by words, and the triggers that keep their entries.

Names, addresses and own codes of public layers. Item ids are not kept a second time: the tables' own index finds them.
"""

from typing import Literal

from sqlalchemy import Connection, text

from layers.registry import VECTOR_LAYERS
from layers.schema import Property, VectorLayer
from layers.store.names import quote
from layers.store.tables import CITY

Kind = Literal["name", "address", "code"]
_KINDS: dict[str, Kind] = {
    "name": "name",
    "name_en": "name",
    "former_name": "name",
    "old_name": "name",
    "facility": "name",
    "address": "address",
    "full_address": "address",
    "former_address": "address",
    "permit_number": "code",
    "old_code": "code",
}
_OWN_CODES = {"wards": "ward_code", "provinces": "province_code", "streets": "street_code"}
# Meters stand at addresses, which are searched themselves; what a run wrote is no place.
_LEFT_OUT = {"water_meters"} | {layer.id for layer in VECTOR_LAYERS.values() if layer.of_runs}
_EVENTS = {
    "insert": "referencing new table as new_rows",
    "update": "referencing old table as old_rows new table as new_rows",
    "delete": "referencing old table as old_rows",
    "truncate": "",
}


def find_kind(layer: VectorLayer, prop: Property) -> Kind | None:
    """Return what a property says of a feature where words search it, else None."""
    if layer.access != "public" or prop.access != "public" or prop.type != "string" or layer.id in _LEFT_OUT:
        return None
    return "code" if _OWN_CODES.get(layer.id) == prop.name else _KINDS.get(prop.name)


def name_searched(layer: VectorLayer) -> list[str]:
    """Return the properties of ``layer`` that words search."""
    return [prop.name for prop in layer.properties if find_kind(layer, prop)]


def sync_search(connection: Connection) -> list[str]:
    """Bring triggers and entries to what is declared and return the layers indexed anew."""
    kept = {row.layer: list(row.properties) for row in connection.execute(text("select * from meta.search_layer"))}
    wanted = {layer.id: name_searched(layer) for layer in VECTOR_LAYERS.values()}
    changed = [layer_id for layer_id, names in wanted.items() if kept.get(layer_id, []) != names]
    for layer_id in changed:
        _attach(connection, layer_id, wanted[layer_id])
        _index_all(connection, layer_id, wanted[layer_id])
    return changed


def _attach(connection: Connection, layer_id: str, names: list[str]) -> None:
    table = f"{CITY}.{quote(layer_id)}"
    arguments = ", ".join(f"'{name}'" for name in names)
    for event, rows in _EVENTS.items():
        connection.execute(text(f"drop trigger if exists words_{event} on {table}"))
        if names:
            connection.execute(
                text(
                    f"create trigger words_{event} after {event} on {table} {rows} "
                    f"for each statement execute function meta.index_words({arguments})"
                )
            )


def _index_all(connection: Connection, layer_id: str, names: list[str]) -> None:
    connection.execute(text("delete from meta.search_entry where layer = :layer"), {"layer": layer_id})
    if names:
        pairs = ", ".join(f"('{name}', n.{quote(name)})" for name in names)
        connection.execute(
            text(
                "insert into meta.search_entry (layer, fid, kind, id, words, folded, place, box) "
                "select :layer, n.fid, v.kind, n.id, v.words, meta.search_words(v.words), "
                "case when ST_GeometryType(n.geom_3857) = 'ST_LineString' "
                "then ST_LineInterpolatePoint(n.geom_3857, 0.5) else ST_PointOnSurface(n.geom_3857) end, "
                "ST_Envelope(n.geom_3857) "
                f"from {CITY}.{quote(layer_id)} n cross join lateral (values {pairs}) as v (kind, words) "
                "where v.words <> ''"
            ),
            {"layer": layer_id},
        )
    connection.execute(
        text(
            "insert into meta.search_layer (layer, properties) values (:layer, :names) "
            "on conflict (layer) do update set properties = excluded.properties"
        ),
        {"layer": layer_id, "names": names},
    )
