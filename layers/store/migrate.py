"""Bring a database to the present: extension, fixed tables, the city's CRS, layer tables."""

import json
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from pyproj import CRS
from pyproj.exceptions import CRSError
from sqlalchemy import Connection, Engine, text

from layers.errors import ConflictError, CrsError, DatabaseError, InputError
from layers.store.engine import check_connection
from layers.store.finding.search_tables import sync_search
from layers.store.overviews import sync_overviews
from layers.store.patience import change_patiently
from layers.store.rights import sync_rights
from layers.store.sensing.datastreams import attach_sensors
from layers.store.sensing.live import attach_live
from layers.store.sources import ensure_edit_source
from layers.store.spatial_reference import ensure_spatial_references, refresh_transformed
from layers.store.tables import sync_tables

_SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True, slots=True)
class CityRow:
    """What the database knows of its city: id, SRID of all geometry, and the declaration from the catalogue."""

    id: str
    srid: int
    declaration: dict[str, object]

    @property
    def synthetic(self) -> bool:
        """Whether the city is a made-up one."""
        return bool(self.declaration.get("synthetic"))


def migrate(engine: Engine, city_id: str, crs: str, declaration: dict[str, object]) -> list[str]:
    """Create or upgrade everything and return what changed in the layer tables, one line a change.

    ``crs`` is a projected EPSG code in metres; a database holds one city in one CRS, so another CRS than the
    present one raises ConflictError. Where PostGIS knew the CRS with another datum shift than the declared one, what
    it had transformed is computed anew. A city may live meanwhile: no lock is waited for longer than others can
    bear, and ConflictError names who is in the way for too long.
    """
    check_connection(engine)
    srid = read_projected_srid(crs)
    # PostGIS keeps a CRS as long as its connection lives: begin with a new one, and leave no old one behind.
    engine.dispose()

    def begin(connection: Connection) -> list[str]:
        # Of two at once the second finds it done.
        connection.execute(text("select pg_advisory_xact_lock(hashtextextended('twin db migrate', 0))"))
        connection.execute(text("create extension if not exists postgis"))
        connection.execute(text("create schema if not exists meta"))
        command.upgrade(_configure(connection), "head")
        shifted = ensure_spatial_references(connection, srid)
        present = connection.execute(text("select srid from meta.city")).scalar()
        if present is not None and present != srid:
            raise ConflictError(
                f"the database holds a city in EPSG:{present}, the catalogue says {crs}",
                hint="use another database for another city",
            )
        connection.execute(
            text(
                "insert into meta.city (id, srid, declaration) values (:id, :srid, cast(:declaration as jsonb)) "
                "on conflict (only_row) do update set id = excluded.id, declaration = excluded.declaration"
            ),
            {"id": city_id, "srid": srid, "declaration": _to_json(declaration)},
        )
        return refresh_transformed(connection) if shifted else []

    def end(connection: Connection) -> list[str]:
        ensure_edit_source(connection, declaration)
        attach_sensors(connection)
        attach_live(connection)
        sync_overviews(connection)
        done = [f"Indexed the words of {name}" for name in sync_search(connection)]
        return [*done, "Gave roles their rights"] if sync_rights(connection) else done

    refreshed = change_patiently(engine, begin)
    engine.dispose()
    done = [*sync_tables(engine, srid), *(f"Refreshed {name}: the datum shift of EPSG:{srid}" for name in refreshed)]
    return [*done, *change_patiently(engine, end)]


def downgrade(engine: Engine, revision: str) -> list[str]:
    """Take back the newest migrations down to ``revision``, which stays, and return those taken back, newest first.

    What they added is lost with its content. Raises InputError for a revision this database does not stand on.
    """
    check_connection(engine)

    def change(connection: Connection) -> list[str]:
        config = _configure(connection)
        scripts = ScriptDirectory.from_config(config)
        present = MigrationContext.configure(connection, opts={"version_table_schema": "meta"}).get_current_revision()
        below = [script.revision for script in scripts.iterate_revisions(present, "base")] if present else []
        if revision not in below:
            raise InputError(
                f"the database stands at revision {present} and cannot go down to '{revision}'",
                hint=f"one of {', '.join(sorted(below))}",
            )
        command.downgrade(config, revision)
        return below[: below.index(revision)]

    return change_patiently(engine, change)


def read_city(connection: Connection) -> CityRow:
    """Return the city of this database; DatabaseError when it was never migrated."""
    exists = connection.execute(text("select to_regclass('meta.city')")).scalar()
    row = connection.execute(text("select id, srid, declaration from meta.city")).first() if exists else None
    if row is None:
        raise DatabaseError("the database holds no city yet", hint="type: twin db migrate")
    return CityRow(row.id, row.srid, row.declaration)


def read_projected_srid(crs: str) -> int:
    """Return the EPSG code of a projected CRS in metres; CrsError says why another cannot carry a city."""
    try:
        parsed = CRS.from_user_input(crs)
    except CRSError as error:
        raise CrsError(f"'{crs}' is not a known coordinate reference system") from error
    authority = parsed.to_authority()
    if authority is None or authority[0] != "EPSG":
        raise CrsError(f"'{crs}' has no EPSG code")
    if not parsed.is_projected or parsed.axis_info[0].unit_name != "metre":
        raise CrsError(f"'{crs}' ({parsed.name}) is not projected in metres, which a city's CRS must be")
    return int(authority[1])


def _configure(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def _to_json(value: dict[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
