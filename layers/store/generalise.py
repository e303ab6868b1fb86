"""How features are generalised for zooms below 14, as SQL over rows: the same for overviews that are kept and for tiles
of a filter or of a past that are made at once (see ``layers.schema.Overview``).
"""

from collections.abc import Sequence

from layers.schema import DETAIL_ZOOM, VectorLayer
from layers.store.hiding import write_shown
from layers.store.mercator import HALF_WORLD
from layers.store.names import quote

SCREEN = 512
CELL = 2.0 * HALF_WORLD / (1 << DETAIL_ZOOM)
# A cell is a tile of zoom 14, written column * 2^14 + row.
CELLS_ACROSS = 1 << DETAIL_ZOOM
COLUMNS = ("zoom", "cell", "fid", "id", "point_count")


def write_cell_rows(layer: VectorLayer, columns: Sequence[str]) -> str:
    """Return the rows of ``layer`` in the cells ``%(cells)s``, each cell with its own."""
    half = repr(HALF_WORLD)
    column, row = f"(c >> {DETAIL_ZOOM})", f"(c & {CELLS_ACROSS - 1})"
    box = (
        f"ST_MakeEnvelope({column} * {CELL!r} - {half}, {half} - ({row} + 1) * {CELL!r}, "
        f"({column} + 1) * {CELL!r} - {half}, {half} - {row} * {CELL!r}, 3857)"
    )
    low, high = [[f"ST_{axis}{end}(b.geom_3857)" for axis in "XY"] for end in ("Min", "Max")]
    if layer.geometry != "LineString":
        low = high = [f"({least} + {most}) / 2" for least, most in zip(low, high, strict=True)]
    owned = (
        f" and c.cell >> {DETAIL_ZOOM} between meta.find_cell({low[0]} + {half}) "
        f"and meta.find_cell({high[0]} + {half}) and c.cell & {CELLS_ACROSS - 1} "
        f"between meta.find_cell({half} - {high[1]}) and meta.find_cell({half} - {low[1]})"
    )
    # Overviews are for everybody.
    shown = write_shown(layer, "public", alias="b")
    return (
        f"select c.cell, c.box, b.fid, b.id{_list('b', columns)}, b.geom_3857 as geom "
        f"from (select c as cell, {box} as box from unnest(%(cells)s::integer[]) c) c "
        f"join city.{quote(layer.id)} b on b.geom_3857 && c.box{owned} and {shown}"
    )


def write_placed_rows(layer: VectorLayer, columns: Sequence[str], rows: str) -> str:
    """Return ``rows`` (fid, id, columns, geom_3857), lines once for each cell their bounds touch."""
    listed = f"b.fid, b.id{_list('b', columns)}, b.geom_3857 as geom"
    if layer.geometry != "LineString":
        return f"select 0 as cell, {listed} from ({rows}) b"
    half, across = repr(HALF_WORLD), CELLS_ACROSS
    spans = [
        f"generate_series(meta.find_cell({low}), meta.find_cell({high})) {name}"
        for name, low, high in (
            ("c", f"ST_XMin(b.geom_3857) + {half}", f"ST_XMax(b.geom_3857) + {half}"),
            ("r", f"{half} - ST_YMax(b.geom_3857)", f"{half} - ST_YMin(b.geom_3857)"),
        )
    ]
    return (
        f"select c * {across} + r as cell, ST_MakeEnvelope(c * {CELL!r} - {half}, {half} - (r + 1) * {CELL!r}, "
        f"(c + 1) * {CELL!r} - {half}, {half} - r * {CELL!r}, 3857) as box, {listed} "
        f"from ({rows}) b cross join {spans[0]} cross join {spans[1]}"
    )


def write_generalised(
    layer: VectorLayer, columns: Sequence[str], zooms: Sequence[int], rows: str, *, label: str | None = None
) -> str:
    """Return ``rows`` (cell, fid, id, columns, geom, and box for lines) as they are drawn at each of ``zooms``.

    The columns are ``COLUMNS``, ``columns``, shape, and for areas ``spot``, where the name stands (null without
    ``label``).
    """
    write = {"Point": _write_points, "LineString": _write_lines, "MultiPolygon": _write_areas}[layer.geometry]
    return write(layer, columns, zooms, rows, label)


def _write_points(
    layer: VectorLayer, columns: Sequence[str], zooms: Sequence[int], rows: str, _label: str | None
) -> str:
    half = repr(HALF_WORLD)
    # No step is wider than a cell, so that no cluster needs the points of two.
    steps = {zoom: min(CELL, 2.0 * HALF_WORLD / (1 << zoom) * layer.overview.spacing / SCREEN) for zoom in zooms}
    chosen = []
    for name in columns:
        prop = layer.find(name)
        one = f"bool_or({quote(name)})" if prop is not None and prop.type == "boolean" else f"min({quote(name)})"
        if name == layer.style.by:
            chosen.append(f", mode() within group (order by {quote(name)}) as {quote(name)}")
        else:
            chosen.append(f", case when count(*) = 1 then {one} end as {quote(name)}")
    return (
        "select z._zoom as zoom, min(cell) as cell, case when count(*) = 1 then min(fid) end as fid, "
        "case when count(*) = 1 then min(id) end as id, nullif(count(*), 1) as point_count"
        f"{''.join(chosen)}, ST_SetSRID(ST_MakePoint(avg(ST_X(geom)), avg(ST_Y(geom))), 3857) as shape "
        f"from ({rows}) rows cross join {_write_zooms(steps)} where {_write_kept(layer)} "
        f"group by z._zoom, floor((ST_X(geom) + {half}) / z._size), floor(({half} - ST_Y(geom)) / z._size)"
    )


def _write_lines(
    layer: VectorLayer, columns: Sequence[str], zooms: Sequence[int], rows: str, _label: str | None
) -> str:
    named = [zoom for zoom in zooms if zoom >= layer.overview.named_from]
    nameless = [zoom for zoom in zooms if zoom < layer.overview.named_from]
    split = {tuple(columns): named, tuple(name for name in columns if name != layer.style.label): nameless}
    if layer.style.label not in columns:
        split = {tuple(columns): list(zooms)}
    return " union all ".join(_merge_lines(layer, columns, by, some, rows) for by, some in split.items() if some)


def _merge_lines(layer: VectorLayer, columns: Sequence[str], by: Sequence[str], zooms: Sequence[int], rows: str) -> str:
    """Return lines of equal ``columns`` merged, then put together ``by`` some of them; a single one keeps all it has.

    The first step joins a street across its junctions, which the second alone could not.
    """
    overview = layer.overview
    merged = (
        f"select cell{_list('', columns)}, count(distinct fid) as n, min(fid) as fid, min(id) as id, "
        "ST_LineMerge(ST_Collect(part)) as merged from (select *, case when box ~ geom then geom "
        f"else ST_CollectionExtract(ST_ClipByBox2D(geom, box), 2) end as part from ({rows}) rows) clipped "
        f"where not ST_IsEmpty(part) group by cell{_list('', columns)}"
    )
    if set(by) < set(columns):
        kept = "".join(f", min({quote(name)}) as {quote(name)}" for name in columns if name not in by)
        merged = (
            f"select cell{_list('', by)}{kept}, sum(n) as n, min(fid) as fid, min(id) as id, "
            "ST_LineMerge(ST_CollectionExtract(ST_Collect(merged), 2)) as merged "
            f"from ({merged}) streets group by cell{_list('', by)}"
        )
    listed = "".join(
        f", {quote(name)}" if name in by else f", case when n = 1 then {quote(name)} end as {quote(name)}"
        for name in columns
    )
    return (
        "select z._zoom as zoom, cell, case when n = 1 then fid end as fid, case when n = 1 then id end as id, "
        f"null::bigint as point_count{listed}, s.shape from ({merged}) m "
        f"cross join {_write_zooms(_measure_pixels(zooms))} "
        f"cross join lateral (select ST_Collect(ST_Simplify(p.geom, z._size * {overview.tolerance!r})) as shape "
        f"from ST_Dump(m.merged) p where ST_Length(p.geom) >= z._size * {overview.shortest!r}) s "
        f"where s.shape is not null and {_write_kept(layer)}"
    )


def _write_areas(layer: VectorLayer, columns: Sequence[str], zooms: Sequence[int], rows: str, label: str | None) -> str:
    overview = layer.overview
    spot = f"case when {quote(label)} is not null then ST_PointOnSurface(geom) end" if label else "null::geometry"
    smallest = min(_measure_pixels(zooms).values()) ** 2 * overview.smallest
    return (
        f"select z._zoom as zoom, cell, fid, id, null::bigint as point_count{_list('', columns)}, "
        f"ST_Simplify(geom, z._size * {overview.tolerance!r}, true) as shape, spot "
        f"from (select *, {spot} as spot from (select *, ST_Area(geom) as area from ({rows}) rows offset 0) measured "
        f"where area >= {smallest!r} offset 0) large cross join {_write_zooms(_measure_pixels(zooms))} "
        f"where area >= z._size * z._size * {overview.smallest!r} and {_write_kept(layer)}"
    )


def _measure_pixels(zooms: Sequence[int]) -> dict[int, float]:
    return {zoom: 2.0 * HALF_WORLD / (1 << zoom) / SCREEN for zoom in zooms}


def _write_zooms(sizes: dict[int, float]) -> str:
    listed = ", ".join(f"({zoom}::smallint, {size!r}::double precision)" for zoom, size in sizes.items())
    return f"(values {listed}) z (_zoom, _size)"


def _write_kept(layer: VectorLayer) -> str:
    """Return the condition that a row's code is drawn at its zoom."""
    by = layer.style.by
    if not layer.overview.kept or by is None:
        return "true"
    cases = [
        f"when z._zoom <= {zoom} then {quote(by)} in ({', '.join(map(_write_text, codes))})"
        for zoom, codes in layer.overview.kept
    ]
    return f"(case {' '.join(cases)} else true end)"


def _write_text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _list(alias: str, columns: Sequence[str]) -> str:
    prefix = f"{alias}." if alias else ""
    return "".join(f", {prefix}{quote(name)}" for name in columns)
