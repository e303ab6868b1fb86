"""Boundaries of wards by official code, present and former."""

from typing import Any

import shapely
from sqlalchemy import Connection, text

_PRESENT = "select ward_code as code, st_transform(geom, 4326) as shape from city.wards"
_FORMER = "select old_code, st_transform(geom, 4326) from city.admin_changes where old_level = 'ward'"


def read_ward_shapes(connection: Connection) -> dict[str, Any]:
    """Return the boundary [°] of every ward by its code; a former ward's code stands for where it was."""
    found: dict[str, Any] = {}
    for query in (_FORMER, _PRESENT):
        rows = connection.execute(
            text(f"select code, st_asbinary(st_union(shape)) from ({query}) as wards (code, shape) group by code")
        )
        found |= {code: shapely.from_wkb(bytes(shape)) for code, shape in rows if code and shape}
    return found
