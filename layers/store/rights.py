"""Grants and row security, made from the declarations: what the roles of migration 0019 see and write.

``twin_public``, ``twin_staff`` and ``twin_restricted`` read, each what the one before reads and more;
``twin_staff_editor`` and ``twin_restricted_editor`` also write. The owner of the tables is the twin itself and beyond
row security. ``TABLES`` says who reads every table that no layer declares; a table that is not in it is for nobody.
"""

import hashlib
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, text

from layers.registry import RASTER_LAYERS, VECTOR_LAYERS
from layers.schema import LEVELS, Access, VectorLayer
from layers.store.hiding import write_shown
from layers.store.names import quote
from layers.store.overviews import OVERVIEW
from layers.store.tables import CITY, HISTORY

_FIXED = ("fid", "id", "source_id", "valid_from", "recorded_from", "edit_id", "geom")
_PAST = ("valid_to", "recorded_to", "ended_by")
_IN_WARDS = "((select meta.is_unbound()) or ST_Intersects(geom, (select meta.own_area())))"
_SHOWN_STREAMS = "datastream <> all ((select sensing.hidden_streams())::bigint[])"
_SHOWN_THINGS = "thing_id <> all ((select sensing.hidden_things())::text[])"

TABLES: Mapping[str, Access | None] = {
    **dict.fromkeys(
        (
            "meta.alembic_version", "meta.city", "meta.layer_version", "meta.load", "meta.model", "meta.model_file",
            "meta.overview_mark", "meta.saved_query", "meta.search_entry", "meta.search_layer", "meta.source",
            "meta.tile_mark",
            "sensing.correction", "sensing.datastream", "sensing.dirty_hour", "sensing.feature_of_interest",
            "sensing.historical_location", "sensing.historical_location_location", "sensing.lamp_calendar",
            "sensing.latest", "sensing.location", "sensing.main_series", "sensing.observation",
            "sensing.observed_property", "sensing.past_flag", "sensing.reading", "sensing.retired_month",
            "sensing.rollup", "sensing.sensor", "sensing.thing", "sensing.thing_location",
            "run.raster", "run.request", "run.run",
            "forecast.issue", "forecast.loop", "forecast.loop_run", "forecast.loop_state", "forecast.newest",
            "forecast.value",
            "alarm.alarm", "alarm.cursor", "alarm.event", "alarm.incident", "alarm.rule",
            "warning.chain", "warning.claim", "warning.message",
            "network.change", "network.commodity", "network.link", "network.node", "network.pending", "network.place",
            "network.stop", "network.trace_configuration",
            "transit.entity", "transit.feed", "transit.feed_file", "transit.message",
            "observing.objective_hour",
            "queue.procrastinate_workers",
        ),
        "public",
    ),
    **dict.fromkeys(
        (
            "inventory.attachment", "inventory.inspection", "inventory.work_order", "inventory.work_order_event",
            "inventory.work_order_feature",
            "meta.quarantine", "network.trace", "network.trace_members", "sensing.backfill", "sensing.device",
            "sensing.ledger", "sensing.rejected", "sensing.told", "warning.delivery", "warning.draft", "warning.outbox",
        ),
        "staff",
    ),
    # Who wrote what is for the staff, that it was written for all: see _COLUMNS.
    "meta.edit": None,
    "meta.rights": None,
    **dict.fromkeys(
        ("identity.account", "identity.attempt", "identity.flow", "identity.key", "identity.session"), None
    ),
    "observing.process": None,
    "run.board": None,
    "run.board_piece": None,
    "run.callback": None,
    "run.member": None,
    **dict.fromkeys(
        (
            "audit.entry", "audit.entry_rest", "audit.retired", "audit.seal", "audit.shipped", "audit.waiting",
            "personal.erasure", "personal.land_right", "personal.owner", "personal.rejected",
        ),
        None,
    ),
    "queue.procrastinate_events": None,
    "queue.procrastinate_jobs": None,
    "queue.procrastinate_periodic_defers": None,
}  # fmt: skip
"""Who reads a table beside those of layers, from which level on; None: the twin alone, but for ``_COLUMNS``."""

_COLUMNS: Mapping[str, tuple[tuple[Access, tuple[str, ...]], ...]] = {
    "meta.edit": (
        ("public", ("id", "at", "valid_from", "kind", "source", "reverts", "layers")),
        ("staff", ("author", "reason")),
    ),
}
_SHOWN: Mapping[str, str] = {
    "sensing.thing": "id <> all ((select sensing.hidden_things())::text[])",
    "sensing.thing_location": _SHOWN_THINGS,
    "sensing.historical_location": _SHOWN_THINGS,
    "sensing.location": "id <> all ((select sensing.hidden_locations())::text[])",
    "sensing.feature_of_interest": "id <> all ((select sensing.hidden_features())::text[])",
    "sensing.datastream": "fid <> all ((select sensing.hidden_streams())::bigint[])",
    **dict.fromkeys(
        (
            "sensing.observation", "sensing.latest", "sensing.correction", "sensing.rollup", "sensing.past_flag",
            "sensing.main_series", "forecast.issue",
        ),
        _SHOWN_STREAMS,
    ),
    "alarm.alarm": "datastream <> all ((select sensing.hidden_names())::text[])",
}  # fmt: skip
"""Rows of other tables that follow what guarded layers hide."""
_WRITTEN = ("meta", "sensing", "inventory", "network", "alarm", "warning", "run", "forecast", "transit", OVERVIEW)
_NOT_WRITTEN = ("meta.city", "meta.rights", "meta.alembic_version")


def sync_rights(connection: Connection) -> bool:
    """Bring roles, grants and policies to what is declared; False where they were so already."""
    srid = connection.execute(text("select srid from meta.city")).scalar_one()
    statements = [*_write_roles(), *_write_tables(), *_write_layers()]
    mark = hashlib.blake2b("\n".join((str(srid), *statements)).encode(), digest_size=16).hexdigest()
    if connection.execute(text("select mark from meta.rights")).scalar() == mark:
        return False
    connection.exec_driver_sql(_DROP_POLICIES)
    connection.exec_driver_sql(";\n".join(statements).replace("%", "%%"))
    connection.exec_driver_sql(_MARK_LEAKPROOF)
    connection.execute(
        text("insert into meta.rights (mark) values (:mark) on conflict (only_row) do update set mark = excluded.mark"),
        {"mark": mark},
    )
    return True


def name_reader(access: Access) -> str:
    """Return the database role of a level."""
    return f"twin_{access}"


_DROP_POLICIES = """
do $$
declare
    one record;
begin
    for one in select schemaname, tablename, policyname from pg_policies where policyname like 'twin\\_%%' loop
        execute format('drop policy %%I on %%I.%%I', one.policyname, one.schemaname, one.tablename);
    end loop;
end $$
"""
# A policy is asked before an operator that could tell of the row it refuses, unless that is known to tell nothing: the
# index of a box would not be used. Only who owns the function can say so; without it boxes of guarded layers are slow.
_MARK_LEAKPROOF = """
do $$ begin
    alter function geometry_overlaps(geometry, geometry) leakproof;
exception when insufficient_privilege then null;
end $$
"""


def _write_roles() -> Iterator[str]:
    yield "grant twin_public to twin_staff"
    yield "grant twin_staff to twin_restricted"
    yield "grant twin_staff, twin_editor to twin_staff_editor"
    yield "grant twin_restricted, twin_editor to twin_restricted_editor"
    # Who owns the tables takes these roles; a superuser needs no membership, and no one can be a member of itself.
    for level in LEVELS:
        yield f"grant {name_reader(level)} to current_user"
    yield "grant twin_staff_editor, twin_restricted_editor to current_user"
    schemas = sorted({name.split(".")[0] for name in TABLES} | {CITY, HISTORY, OVERVIEW})
    yield f"grant usage on schema {', '.join(schemas)} to twin_public"
    for schema in (*_WRITTEN, CITY, HISTORY):
        yield f"grant usage on all sequences in schema {schema} to twin_editor"


def _write_tables() -> Iterator[str]:
    for table, access in TABLES.items():
        yield f"revoke all on {table} from twin_public, twin_staff, twin_restricted, twin_editor"
        if access is not None:
            yield f"grant select on {table} to {name_reader(access)}"
        for level, columns in _COLUMNS.get(table, ()):
            yield f"grant select ({', '.join(columns)}) on {table} to {name_reader(level)}"
        if table.split(".")[0] in _WRITTEN and table not in _NOT_WRITTEN:
            yield f"grant select, insert, update, delete on {table} to twin_editor"
        if table in _SHOWN:
            yield f"alter table {table} enable row level security"
            yield f"create policy twin_shown on {table} for select to twin_public using ({_SHOWN[table]})"
            yield f"create policy twin_all on {table} for select to twin_restricted using ((select meta.is_unbound()))"
            yield f"create policy twin_insert on {table} for insert to twin_editor with check (true)"
            yield f"create policy twin_update on {table} for update to twin_editor using (true)"
            yield f"create policy twin_delete on {table} for delete to twin_editor using (true)"
    rasters = ", ".join(f"'{layer.id}'" for layer in RASTER_LAYERS.values() if layer.access == "public")
    yield "alter table run.raster enable row level security"
    yield f"create policy twin_shown on run.raster for select to twin_public using (layer in ({rasters}))"
    yield "create policy twin_all on run.raster for select to twin_staff using (true)"


def _write_layers() -> Iterator[str]:
    for layer in VECTOR_LAYERS.values():
        for schema, added in ((CITY, ("geom_3857",)), (HISTORY, _PAST)):
            table = f"{schema}.{quote(layer.id)}"
            yield f"revoke all on {table} from twin_public, twin_staff, twin_restricted, twin_editor"
            yield from _grant_columns(layer, table, added)
            yield f"alter table {table} enable row level security"
            yield from _write_read_policies(layer, table)
        yield f"grant delete on {CITY}.{quote(layer.id)} to twin_editor"
        yield f"grant insert on {HISTORY}.{quote(layer.id)} to twin_editor"
        yield f"create policy twin_keep on {HISTORY}.{quote(layer.id)} for insert to twin_editor with check (true)"
        yield from _write_edit_policies(layer)
        if layer.overview_zooms:
            table = f"{OVERVIEW}.{quote(layer.id)}"
            yield f"grant select on {table} to twin_public"


def _grant_columns(layer: VectorLayer, table: str, added: tuple[str, ...]) -> Iterator[str]:
    """Grant each level the columns it sees beyond the one before, to read and to write."""
    first = LEVELS.index(layer.access)
    for level in LEVELS[first:]:
        own = [prop.name for prop in layer.properties if _raise(layer, prop.access) == level]
        names = [*((*_FIXED, *added) if level == layer.access else ()), *own]
        if not names:
            continue
        columns = ", ".join(map(quote, names))
        yield f"grant select ({columns}) on {table} to {name_reader(level)}"
        written = ", ".join(map(quote, (name for name in names if name != "geom_3857")))
        if table.startswith(CITY) and written:
            editor = "twin_editor" if level != "restricted" else "twin_restricted_editor"
            yield f"grant insert ({written}), update ({written}) on {table} to {editor}"


def _raise(layer: VectorLayer, access: Access) -> Access:
    """Return the level of a property: no lower than its layer's."""
    return max(layer.access, access, key=LEVELS.index)


def _write_read_policies(layer: VectorLayer, table: str) -> Iterator[str]:
    """Rows of a layer for everybody are seen by all; others, and those that are hidden, within the own wards."""
    bound = "true" if layer.access == "public" else _IN_WARDS
    for level in LEVELS[LEVELS.index(layer.access) : -1]:
        shown = write_shown(layer, level)
        yield f"create policy twin_{level} on {table} for select to {name_reader(level)} using ({bound} and {shown})"
        if shown == "true":
            return
    # Where a named item lies nobody knows here: who is bound sees none that is hidden.
    whole = "(select meta.is_unbound())" if layer.named_items else _IN_WARDS
    yield f"create policy twin_restricted on {table} for select to twin_restricted using ({whole})"


def _write_edit_policies(layer: VectorLayer) -> Iterator[str]:
    """Rows are written by who edits the theme, where they lie in the own wards before and after."""
    table, own = f"{CITY}.{quote(layer.id)}", f"(select meta.edits('{layer.theme}')) and {_IN_WARDS}"
    yield f"create policy twin_insert on {table} for insert to twin_editor with check ({own})"
    yield f"create policy twin_update on {table} for update to twin_editor using ({own}) with check ({own})"
    yield f"create policy twin_delete on {table} for delete to twin_editor using ({own})"
