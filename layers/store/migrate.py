"""Bring a database to the present: extension, fixed tables, the city's CRS, layer tables."""

import json
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from pyproj import CRS
from pyproj.exceptions import CRSError
from sqlalchemy import Connection, Engine, text

from layers.errors import ConflictError, CrsError, DatabaseError
from layers.store.engine import check_connection
from layers.store.finding.search_tables import sync_search
from layers.store.overviews import sync_overviews
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
    it had transformed is computed anew.
    """
    check_connection(engine)
    srid = read_projected_srid(crs)
    # PostGIS keeps a CRS as long as its connection lives: begin with a new one, and leave no old one behind.
    engine.dispose()
    with engine.begin() as connection:
        connection.execute(text("create extension if not exists postgis"))
        connection.execute(text("create schema if not exists meta"))
        _run_alembic(connection)
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
        refreshed = refresh_transformed(connection) if shifted else []
    engine.dispose()
    done = [*sync_tables(engine, srid), *(f"Refreshed {name}: the datum shift of EPSG:{srid}" for name in refreshed)]
    with engine.begin() as connection:
        ensure_edit_source(connection, declaration)
        attach_sensors(connection)
        attach_live(connection)
        sync_overviews(connection)
        done += [f"Indexed the words of {name}" for name in sync_search(connection)]
        if sync_rights(connection):
            done.append("Gave roles their rights")
    return done


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


def _run_alembic(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _to_json(value: dict[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
