"""Transformations in SQL to and from any EPSG code, also those PostGIS has no row of but PROJ knows."""

_ALWAYS_THERE = (4326, 3857)


def write_to(shape: str, srid: int) -> str:
    """Return the SQL of ``shape`` in CRS ``srid``, x first."""
    known = f"ST_Transform({shape}, {int(srid)})"
    return known if srid in _ALWAYS_THERE else _choose(srid, known, f"ST_Transform({shape}, 'EPSG:{int(srid)}')")


def write_to_mercator(shape: str, srid: int) -> str:
    """Return the SQL of ``shape``, whose coordinates (x first) are in CRS ``srid``, in EPSG:3857."""
    known = f"ST_Transform(ST_SetSRID({shape}, {int(srid)}), 3857)"
    return known if srid in _ALWAYS_THERE else _choose(srid, known, f"ST_Transform({shape}, 'EPSG:{int(srid)}', 3857)")


def _choose(srid: int, known: str, named: str) -> str:
    # The row of a CRS may carry a declared datum shift; the name alone does not.
    return f"(case when exists (select from spatial_ref_sys where srid = {int(srid)}) then {known} else {named} end)"
