"""Land use, wards and province: the district divided without gaps."""

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from twin.demo.buildings import LAND_USE, Specials
from twin.demo.cells import HALF_RESERVE, Cells
from twin.demo.plan import EXTENT, PROVINCE_CODE, WARDS, Plan, Shapes, Water, draw_ward
from twin.demo.shapes import Table, as_shapes, as_text, number_ids
from twin.demo.streets import Streets


def make_land_use(cells: Cells, specials: Specials, streets: Streets, water: Water) -> Table:
    """Return existing land use without gaps: water, blocks, streets, green canal banks, orchards for the rest."""
    names = dict(zip(specials.cell.tolist(), specials.name, strict=True))
    blocks = shapely.difference(cells.outline(gross=False), water.all)
    shapes: list[BaseGeometry] = list(water.bodies.values())
    uses = ["water"] * len(shapes)
    titles: list[str | None] = [None] * len(shapes)
    for n, block in enumerate(blocks):
        if cells.use[n] != "canal" and block.area > 50.0:
            shapes.append(block)
            uses.append(LAND_USE[cells.use[n]])
            titles.append(names.get(n))
    covered = shapely.union_all(
        [*(shape for shape, use in zip(shapes, uses, strict=True) if use != "water"), water.all]
    )
    reserves = [link.line.buffer(HALF_RESERVE[link.road_class], cap_style="square") for link in streets.links]
    for kind, area in (
        ("transport", shapely.union_all(reserves)),
        ("green", shapely.buffer(water.all, 22.0)),
        ("transport", shapely.buffer(shapely.union_all(cells.outline(gross=True)), 0.5)),
        ("orchard", EXTENT),
    ):
        piece = shapely.intersection(shapely.difference(area, covered), EXTENT)
        covered = shapely.union(covered, piece)
        for part in shapely.get_parts(piece):
            if part.geom_type == "Polygon" and part.area > 1.0:
                shapes.append(part)
                uses.append(kind)
                titles.append(None)
    geometry = as_shapes([_as_area(shape) for shape in shapes])
    return Table(
        geometry,
        {
            "id": number_ids("LU", len(shapes)),
            "name": as_text(titles),
            "land_use": as_text(uses),
            "area": shapely.area(geometry).round(1),
        },
    )


def _as_area(shape: BaseGeometry) -> BaseGeometry:
    parts = [part for part in shapely.get_parts(shapely.make_valid(shape)) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts) if len(parts) != 1 else parts[0]


def draw_cover_zones(cells: Cells) -> list[tuple[BaseGeometry, str]]:
    """Return what lies on the ground of every block, in the words of land cover."""
    words = {
        "dense": "urban",
        "suburban": "urban",
        "paddy": "crops",
        "orchard": "trees",
        "park": "grass",
        "sports": "grass",
    }
    shapes: Shapes = cells.outline(gross=True)
    return [(shape, words.get(use, "urban")) for shape, use in zip(shapes, cells.use, strict=True)]


def make_wards(plan: Plan, buildings: Table) -> Table:
    """Return the wards with the people who live in their buildings."""
    geometry = as_shapes([draw_ward(plan, ward) for ward in WARDS])
    codes = buildings.columns["ward_code"]
    people = [int(buildings.columns["residents"][codes == ward.code].sum()) for ward in WARDS]
    return Table(
        geometry,
        {
            "id": as_text([f"W-{ward.code}" for ward in WARDS]),
            "name": as_text([ward.name for ward in WARDS]),
            "name_en": as_text([ward.name_en for ward in WARDS]),
            "ward_code": as_text([ward.code for ward in WARDS]),
            "province_code": as_text([PROVINCE_CODE] * len(WARDS)),
            "ward_type": as_text([ward.ward_type for ward in WARDS]),
            "population": np.array(people),
            "area": shapely.area(geometry).round(0),
        },
    )


def make_provinces() -> Table:
    """Return the one made-up province: the extent itself."""
    return Table(
        as_shapes([EXTENT]),
        {
            "id": as_text([f"P-{PROVINCE_CODE}"]),
            "name": as_text(["Thành phố mẫu Vàm Sông (mô phỏng)"]),
            "name_en": as_text(["Vam Song sample city (synthetic)"]),
            "province_code": as_text([PROVINCE_CODE]),
            "area": np.array([EXTENT.area]),
        },
    )
