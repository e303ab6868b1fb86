"""The rows of spatial_ref_sys: CRS that PostGIS lacks, and the declared datum shifts, so that it moves points as we do.

PostGIS asks PROJ for ``auth_name:auth_srid`` first and reads ``srtext`` only where PROJ knows no such name. A row that
shall carry a declared shift is therefore written under a name of ours, with the shift in its WKT.
"""

from pyproj import CRS
from sqlalchemy import Connection, text

from layers.datum import bind, find_shift, list_shifted
from layers.errors import DatabaseError
from layers.store.names import quote

AUTHORITY = "TWIN"


def ensure_spatial_references(connection: Connection, srid: int) -> bool:
    """Write the rows that are missing or lack their declared shift; return whether ``srid`` had another before.

    Then what the database made with it (``refresh_transformed``) is out of date. Connections that transformed with the
    old row keep it until they close. Raises DatabaseError where the user may not write there.
    """
    wanted = {code: _describe(code) for code in {*list_shifted(), srid}}
    rows = connection.execute(
        text("select srid, auth_name, srtext from spatial_ref_sys where srid = any(:codes)"), {"codes": list(wanted)}
    ).all()
    present = {row.srid: (str(row.auth_name), str(row.srtext)) for row in rows}
    differing = [code for code, row in wanted.items() if _differs(present.get(code), row)]
    may = connection.execute(
        text(
            "select has_table_privilege('spatial_ref_sys', 'insert') "
            "and has_table_privilege('spatial_ref_sys', 'update')"
        )
    ).scalar_one()
    if differing and not may:
        raise DatabaseError(
            f"this user may not write the datum shift of {len(differing)} CRS into spatial_ref_sys",
            hint="as the owner of PostGIS: grant insert, update on spatial_ref_sys to the user of TWIN_DATABASE_URL",
        )
    for code in differing:
        connection.execute(
            text(
                "insert into spatial_ref_sys (srid, auth_name, auth_srid, srtext) values (:srid, :name, :srid, :wkt) "
                "on conflict (srid) do update set auth_name = excluded.auth_name, srtext = excluded.srtext"
            ),
            {"srid": code, "name": wanted[code][0], "wkt": wanted[code][1]},
        )
    return srid in differing and srid in present


def _describe(code: int) -> tuple[str, str]:
    """Return authority and WKT of a CRS as its row shall hold them."""
    crs = CRS.from_epsg(code)
    return (AUTHORITY if find_shift(crs) else "EPSG", str(bind(crs).to_wkt("WKT1_GDAL")))


def _differs(present: tuple[str, str] | None, wanted: tuple[str, str]) -> bool:
    """Return whether a row has to be written; PostGIS's own words for a CRS without a declared shift are left."""
    return present is None or (wanted[0] == AUTHORITY and present != wanted)


def refresh_transformed(connection: Connection) -> list[str]:
    """Recompute every stored column that is made by a transformation; return the tables that held rows.

    No version is kept of it and no trigger runs, for no feature has changed.
    """
    found = connection.execute(
        text(
            "select table_schema, table_name from information_schema.columns where is_generated = 'ALWAYS' "
            "and generation_expression ilike '%st_transform(geom%' order by 1, 2"
        )
    ).all()
    refreshed = []
    for schema, table in found:
        name = f"{quote(schema)}.{quote(table)}"
        if not connection.execute(text(f"select exists (select from {name})")).scalar_one():
            continue
        connection.execute(text(f"alter table {name} disable trigger user"))
        connection.execute(text(f"update {name} set geom = geom"))
        connection.execute(text(f"alter table {name} enable trigger user"))
        refreshed.append(f"{schema}.{table}")
    return refreshed
