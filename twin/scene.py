"""A run in three dimensions as one web page that needs nothing else: buildings, and the deepest water on the land."""

import html
import json
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pydeck
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.features import shapes
from sqlalchemy import Connection

from layers.datum import CRS84, make_transformer
from layers.errors import ConflictError, NotFoundError
from layers.grid import Grid
from layers.registry import read_vector_layer
from layers.schema import Code
from layers.store.features import select_features
from layers.store.migrate import read_city
from layers.store.rasters import read_grid, read_raster_row
from layers.store.solids import STOREY_HEIGHT, USUAL_HEIGHT
from twin.processes.flood_impact import CLASS_BOUNDS
from twin.store import RunRow, read_run

MOST_BUILDINGS = 40_000

_OUTSIDE = re.compile(r"^ *<(?:script src|link [^>\n]*href)=[\"']?https?:[^\n]*\n", re.MULTILINE)
_BUILDING_COLOUR, _WATER_ALPHA, _BACKGROUND = [217, 206, 194, 255], 210, "#f4f2ee"


def write_scene(connection: Connection, processed_dir: Path, run_id: str, path: Path) -> int:
    """Write the scene of a run to ``path`` and return its size in bytes.

    Raises NotFoundError for a run that is none and ConflictError for one without a depth raster.
    """
    run = read_run(connection, run_id)
    try:
        row = read_raster_row(connection, f"{run_id}.flood_depth_max")
    except NotFoundError as error:
        raise ConflictError(f"run '{run_id}' is {run.status} and has no water to show") from error
    depth, grid = read_grid(processed_dir / row.path)
    classes = _read_classes()
    water = draw_water(depth, grid, classes)
    buildings = draw_buildings(select_features(connection, read_vector_layer("buildings"), bounds=grid.bounds))
    synthetic = read_city(connection).synthetic
    west, south, east, north = row.bounds
    deck = pydeck.Deck(
        layers=[_extrude(buildings, "buildings"), _extrude(water, "water")],
        initial_view_state=pydeck.ViewState(
            longitude=(west + east) / 2.0, latitude=(south + north) / 2.0, zoom=14.5, pitch=50, bearing=-15
        ),
        map_provider=None,
        map_style=None,
        tooltip={"text": "{label}"},
    )
    page = deck.to_html(as_string=True, offline=True, notebook_display=False, css_background_color=_BACKGROUND)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_add_legend(_close_page(str(page), deck), run, classes, synthetic), encoding="utf-8")
    return path.stat().st_size


def draw_water(depth: NDArray[np.float32], grid: Grid, classes: tuple[Code, ...]) -> list[dict[str, Any]]:
    """Return one prism for each patch of a depth class: as high as the class is deep [m], in its colour."""
    bounds = np.array([bound for bound, _ in CLASS_BOUNDS], dtype=np.float32)
    number = np.searchsorted(bounds, np.nan_to_num(depth), side="right").astype(np.uint8)
    tops = [*bounds[1:].tolist(), max(float(np.nanmax(depth)), float(bounds[-1])) if np.isfinite(depth).any() else 1.0]
    to_degrees = make_transformer(grid.crs, CRS84)
    prisms = []
    for shape, value in shapes(number, mask=number > 0, transform=grid.transform):
        entry = classes[int(value) - 1]
        rings = [_to_degrees(np.array(ring), to_degrees) for ring in shape["coordinates"]]
        prisms.append(
            {
                "polygon": rings,
                "height": tops[int(value) - 1],
                "colour": _read_colour(entry.color),
                "label": entry.title.vi,
            }
        )
    return prisms


def draw_buildings(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Return one prism a building [m]; ConflictError when there are more than a page can hold."""
    if len(frame) > MOST_BUILDINGS:
        raise ConflictError(f"{len(frame):,} buildings are too many for one page of at most {MOST_BUILDINGS:,}")
    to_degrees = make_transformer(frame.crs, CRS84)
    storeys = frame["storeys"].astype(float) * STOREY_HEIGHT
    heights = frame["height"].astype(float).fillna(storeys).fillna(USUAL_HEIGHT)
    prisms = []
    for shape, height, name in zip(frame.geometry, heights, frame["name"], strict=True):
        for part in shapely.get_parts(shape):
            ring = _to_degrees(shapely.get_coordinates(shapely.get_exterior_ring(part)), to_degrees)
            label = str(name) if isinstance(name, str) else ""
            prisms.append(
                {"polygon": [ring], "height": round(float(height), 1), "colour": _BUILDING_COLOUR, "label": label}
            )
    return prisms


def _extrude(prisms: list[dict[str, Any]], layer_id: str) -> Any:
    return pydeck.Layer(
        "PolygonLayer",
        prisms,
        id=layer_id,
        get_polygon="polygon",
        get_elevation="height",
        get_fill_color="colour",
        extruded=True,
        pickable=True,
        stroked=False,
    )


def _to_degrees(points: NDArray[np.float64], transformer: Transformer) -> list[list[float]]:
    lon, lat = transformer.transform(points[:, 0], points[:, 1])
    return [[round(float(x), 6), round(float(y), 6)] for x, y in zip(lon, lat, strict=True)]


def _read_classes() -> tuple[Code, ...]:
    declared = read_vector_layer("flood_assets").find("depth_class")
    assert declared is not None
    return declared.codes


def _read_colour(colour: str | None) -> list[int]:
    red, green, blue = bytes.fromhex((colour or "#2f86c1").lstrip("#")[:6])
    return [red, green, blue, _WATER_ALPHA]


def _add_legend(page: str, run: RunRow, classes: tuple[Code, ...], synthetic: bool) -> str:
    """Return the page with title, depth classes and, where it is so, that the data are made up in its corner."""
    warning = "<b>Dữ liệu mô phỏng · Synthetic data</b><br>" if synthetic else ""
    rows = "".join(
        f'<div><span style="display:inline-block;width:14px;height:14px;margin-right:6px;background:{entry.color}">'
        f"</span>{html.escape(entry.title.vi)} · {html.escape(entry.title.en)}</div>"
        for entry in classes
    )
    legend = (
        '<div style="position:fixed;left:16px;bottom:16px;z-index:9;padding:12px 14px;background:#fffffff0;'
        'border-radius:6px;font:13px/1.5 system-ui,sans-serif;color:#222">'
        f"{warning}<b>{html.escape(run.title_vi)}</b><br>{html.escape(run.title_en)}<br>"
        f"<span>Độ sâu ngập lớn nhất · Maximum flood depth</span>{rows}</div>"
    )
    head, body, tail = page.partition("\n  <body>\n")
    return f"{head}{body}{legend}{tail}"


def _close_page(page: str, deck: pydeck.Deck) -> str:
    """Return the page without links to other hosts, which it does not need, and its data without indentation."""
    alone = _OUTSIDE.sub("", page)
    spread = deck.to_json()
    tight = json.dumps(json.loads(spread), separators=(",", ":"), ensure_ascii=False)
    # A name that holds the end of a script must not end the page's.
    return alone.replace(spread, tight.replace("</", "<\\/"))
