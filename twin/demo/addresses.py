"""Named streets, and the address of every house on one of them."""

from collections import defaultdict

import numpy as np
import shapely

from twin.demo.former_units import DISTRICTS, PROVINCE, list_former_wards, locate_former_ward
from twin.demo.plan import WARD_CODES, WARDS, Plan, locate_ward
from twin.demo.shapes import Table, as_shapes, as_text, make_points, number_ids
from twin.demo.streets import Link, Streets

TYPES = {
    "Đại lộ": "avenue", "Hẻm": "alley", "Đường Bờ": "quay", "Đường Bến": "quay", "Đường Tỉnh": "highway",
}  # fmt: skip


def make_addresses(plan: Plan, streets: Streets, buildings: Table) -> dict[str, Table]:
    """Return streets and addresses."""
    groups: dict[str, list[Link]] = defaultdict(list)
    for link in streets.links:
        groups[link.name].append(link)
    codes = {name: f"D{n:04d}" for n, name in enumerate(sorted(groups), 1)}
    return {
        "streets": _make_streets(plan, groups, codes),
        "addresses": _make_points(plan, groups, codes, buildings),
    }


def _make_streets(plan: Plan, groups: dict[str, list[Link]], codes: dict[str, str]) -> Table:
    """Return each named street, one feature for each part that hangs together."""
    shapes, names = [], []
    for name in sorted(groups):
        merged = shapely.line_merge(shapely.MultiLineString([link.line for link in groups[name]]))
        parts = shapely.get_parts(merged)
        shapes += list(parts)
        names += [name] * len(parts)
    geometry = as_shapes(shapes)
    middle = shapely.line_interpolate_point(geometry, np.array([[0.02], [0.5], [0.98]]), normalized=True)
    wards = locate_ward(*plan.frame.to_frame(shapely.get_x(middle), shapely.get_y(middle)))
    passed = [", ".join(sorted({str(WARD_CODES[k]) for k in column})) for column in wards.T]
    return Table(
        geometry,
        {
            "id": number_ids("STR", len(shapes)),
            "name": as_text(names),
            "street_type": as_text([_name_type(name) for name in names]),
            "street_code": as_text([codes[name] for name in names]),
            "ward_codes": as_text(passed),
            "decision": as_text(["Quyết định mô phỏng 05/QĐ-MP"] * len(shapes)),
            "length": shapely.length(geometry).round(1),
        },
    )


def _make_points(plan: Plan, groups: dict[str, list[Link]], codes: dict[str, str], buildings: Table) -> Table:
    """Return the address of every building that has one, at its wall on the side of its street."""
    words = [(address or "").partition(" ") for address in buildings.columns["address"]]
    owner = np.array([k for k, (_, _, street) in enumerate(words) if street in groups], np.int64)
    lines = {name: shapely.MultiLineString([link.line for link in links]) for name, links in groups.items()}
    street = [words[k][2] for k in owner]
    fronts = as_shapes([lines[name] for name in street])
    points = shapely.get_point(shapely.shortest_line(buildings.geometry[owner], fronts), 0)
    x, y = shapely.get_x(points), shapely.get_y(points)
    u, v = plan.frame.to_frame(x, y)
    ward = locate_ward(u, v)
    former = locate_former_ward(u, v)
    number = [words[k][0] for k in owner]
    names = [_split_alley(name) for name in street]
    written = [f"{n} {name}" for n, name in zip(number, street, strict=True)]
    old = list_former_wards()
    count = len(owner)
    return Table(
        make_points(x, y),
        {
            "id": number_ids("AD", count),
            "house_number": as_text(number),
            "alley": as_text([alley for alley, _ in names]),
            "street": as_text([main for _, main in names]),
            "street_code": as_text([codes[name] for name in street]),
            "ward": as_text([WARDS[k].name for k in ward]),
            "ward_code": WARD_CODES[ward].astype(object),
            "province": as_text([PROVINCE] * count),
            "postcode": as_text([f"99{k + 1:02d}0" for k in ward]),
            "full_address": as_text(
                [f"{text}, {WARDS[k].name}, {PROVINCE}" for text, k in zip(written, ward, strict=True)]
            ),
            "former_address": as_text(
                [
                    f"{text}, {old[k].name}, {DISTRICTS[old[k].district][1]}, {PROVINCE}"
                    for text, k in zip(written, former, strict=True)
                ]
            ),
            "building_id": buildings.columns["id"][owner],
            "accuracy": as_text(["entrance"] * count),
        },
    )


def _name_type(name: str) -> str:
    return next((kind for word, kind in TYPES.items() if name.startswith(word)), "street")


def _split_alley(name: str) -> tuple[str | None, str]:
    """Return alley and street of a name such as ``Hẻm 3 Hoa Sữa``."""
    word, _, rest = name.partition(" ")
    number, _, main = rest.partition(" ")
    return (f"{word} {number}", main) if word == "Hẻm" and main else (None, name)
