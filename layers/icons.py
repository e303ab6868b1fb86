"""The map's own pictograms and hatches, drawn by a few strokes each on a grid of 24 × 24.

A drawing is a list of strokes parted by ``;``. A stroke is a letter and numbers: ``C x y r`` a disc, ``O x y r w`` a
ring of width w that ends at r, ``L w x y x y …`` a line with round ends, ``P x y x y …`` a polygon, ``R x0 y0 x1 y1 r``
a rectangle with round corners, ``A x y r from to w`` an arc (degrees clockwise from the right). A small letter erases.
"""

from typing import NamedTuple

GRID = 24


class Stroke(NamedTuple):
    """One stroke: its letter in capitals, its numbers, and whether it erases."""

    kind: str
    numbers: tuple[float, ...]
    erases: bool


ICONS: dict[str, str] = {
    "hydrant": "R 8 6 16 20 0.5; C 12 6.5 4; R 4.5 10.5 19.5 15 1; R 6 18.5 18 21.5 1; c 12 12.7 2",
    "valve": "P 2.5 8 13 13.5 2.5 19; P 21.5 8 11 13.5 21.5 19; L 2.4 12 13 12 5; L 2.6 7.5 4.5 16.5 4.5",
    "pump": "O 12 12 10 2.6; P 8.2 6.2 18.6 12 8.2 17.8",
    "gate": (
        "R 2.5 2.5 5.5 21.5 0.5; R 18.5 2.5 21.5 21.5 0.5; R 5 2.5 19 5.5 0; L 2.2 12 5 12 9; R 7 9 17 18 0.5; l "
        "1.4 8.5 12 15.5 12; l 1.4 8.5 15 15.5 15"
    ),
    "weir": "P 4 14 9 5 15 5 20 14; L 2 2 18 5.3 16 8.7 18 12 20 15.3 18 18.7 16 22 18",
    "manhole": "O 12 12 10 2.4; L 2.2 7.5 8.5 16.5 8.5; L 2.2 6.5 12 17.5 12; L 2.2 7.5 15.5 16.5 15.5",
    "inlet": "R 2.5 5 21.5 19 1.5; l 2.2 7 8.5 7 15.5; l 2.2 12 8.5 12 15.5; l 2.2 17 8.5 17 15.5",
    "outfall": (
        "R 2 4 12 11 0.5; R 12 2 16 13 0.5; L 2.2 18.5 7.5 20 9.5 20 13; L 2 2 19 5.3 17 8.7 19 12 21 15.3 19 "
        "18.7 17 22 19"
    ),
    "tank": "P 2.5 9 12 3 21.5 9; R 4.5 9 19.5 21 0.5; l 1.8 7.5 14.5 10 13 12.5 14.5 15 16 17 14.5",
    "junction": "C 12 12 5",
    "meter": "R 8 13 16 17.5 1; O 12 9.5 8 2.2; L 2 12 9.5 15 6.5; R 2 16 22 19 0.5",
    "lamp": (
        "L 2.4 7 22 7 8; A 11 8 5.2 180 300 2.4; P 11.5 2.5 20.5 6.5 18.8 10.2 9.8 6.2; L 1.8 16 13 18 17; L 1.8 "
        "12.5 12 12.5 16"
    ),
    "cabinet": (
        "R 4.5 2.5 19.5 20 1; R 6.5 20 9.5 22 0; R 14.5 20 17.5 22 0; p 13.2 5 8 12.2 11.6 12.2 10.6 17.5 16 10 12.4 10"
    ),
    "transformer": "O 12 8 6.4 2.4; O 12 16 6.4 2.4",
    "bolt": "P 14 1.5 4.5 13.5 10.8 13.5 9 22.5 19.5 9.8 13 9.8",
    "pole": "L 2.6 12 3 12 22; L 2.2 4.5 6.5 19.5 6.5; L 2.2 6.5 11 17.5 11; L 1.8 6 4 6 6; L 1.8 18 4 18 6",
    "antenna": (
        "L 2.2 12 9 7 22; L 2.2 12 9 17 22; L 2 9 17 15 17; C 12 8 2.4; A 12 8 6.4 140 220 2; A 12 8 6.4 -40 40 "
        "2; A 12 8 10.2 145 215 2; A 12 8 10.2 -35 35 2"
    ),
    "cable": "R 3 9 21 21 1; L 2.4 12 9 12 3; L 2.4 7 4.5 12 3 17 4.5; c 8 15 1.6; c 12 15 1.6; c 16 15 1.6",
    "tree": "C 12 8 6; C 7.4 12 4.4; C 16.6 12 4.4; R 10.7 13 13.3 22.5 0.5",
    "bin": "R 6 8 18 22 1.5; R 4 4.5 20 7 1; R 9 2 15 5 1; l 1.6 9.8 11 9.8 19; l 1.6 14.2 11 14.2 19",
    "factory": (
        "P 2.5 21.5 2.5 11 8.5 14.5 8.5 11 14.5 14.5 15.5 3 19.5 3 21.5 21.5; r 5.5 16.5 8 19 0; r 11 16.5 13.5 19 0"
    ),
    "truck": (
        "R 1.5 6 14 17 1; P 14.8 9 19 9 22.5 13 22.5 17 14.8 17; C 6.5 18 2.8; C 17.5 18 2.8; c 6.5 18 1; c 17.5 18 1"
    ),
    "bus": (
        "R 4.5 3 19.5 19 2.5; R 6 18 9 22 0.7; R 15 18 18 22 0.7; r 6.8 6 17.2 12 0.8; c 8.4 15.5 1.3; c 15.6 15.5 1.3"
    ),
    "ferry": (
        "P 2.5 13.5 21.5 13.5 18.5 18.5 5.5 18.5; R 6.5 8 17.5 12.5 0.7; R 11 3 14 8 0.5; L 1.8 2.5 21.3 6 20 9.5 "
        "21.3 13 20 16.5 21.3 20 20"
    ),
    "no_turn": "O 12 12 10 2.4; L 2 9 17.5 9 10 15 10; P 14 6.2 19 10 14 13.8; L 2.2 5.2 18.8 18.8 5.2",
    "port": "O 12 4.8 3 2; L 2.4 12 7.5 12 21; L 2.2 7.5 10.5 16.5 10.5; A 12 12.5 8.5 10 170 2.4",
    "airport": (
        "P 10.6 4 12 1.5 13.4 4 13.4 9 22 14 22 16.2 13.4 13.6 13.4 18.4 16.2 20.6 16.2 22.4 12 21 7.8 22.4 7.8 20.6 "
        "10.6 18.4 10.6 13.6 2 16.2 2 14 10.6 9"
    ),
    "signal": "R 7.5 1.5 16.5 22.5 3; c 12 6.2 2.2; c 12 12 2.2; c 12 17.8 2.2",
    "car": (
        "R 2.5 10.5 21.5 17.5 2; P 7 4.5 17 4.5 20 11.5 4 11.5; R 4 16 8 20.5 1; R 16 16 20 20.5 1; p 8.2 6.6 "
        "15.8 6.6 17.4 10.4 6.6 10.4; c 6.3 14 1.3; c 17.7 14 1.3"
    ),
    "parking": "R 6.5 2.5 10 21.5 0.5; A 12.5 8.7 6.2 -90 90 3.4; R 8 2.5 12.6 5.9 0; R 8 11.5 12.6 14.9 0",
    "entrance": "L 2.6 2.5 12 12 12; P 10 6.5 16.5 12 10 17.5; L 2.4 12.5 3.5 20.5 3.5 20.5 20.5 12.5 20.5",
    "exit": "L 2.6 9 12 17 12; P 16 6.5 22.5 12 16 17.5; L 2.4 11.5 3.5 3.5 3.5 3.5 20.5 11.5 20.5",
    "plug": "L 2.4 8.5 2.5 8.5 8; L 2.4 15.5 2.5 15.5 8; R 5 7.5 19 11 0.7; C 12 11.5 5.8; L 2.6 12 16 12 22",
    "school": (
        "P 12 3.5 23 9 12 14.5 1 9; P 5.5 12.8 12 16 18.5 12.8 18.5 17.5 12 20.5 5.5 17.5; L 1.7 21.6 9.5 21.6 16.5"
    ),
    "cross": "R 8.7 2.5 15.3 21.5 0.8; R 2.5 8.7 21.5 15.3 0.8",
    "clinic": "R 2.5 4 21.5 20 2.5; r 10.4 7 13.6 17 0.3; r 7 10.4 17 13.6 0.3",
    "pill": "L 9 8 16 16 8; l 1.6 8.6 8.6 15.4 15.4",
    "market": "P 4 3 20 3 22.5 10 1.5 10; R 3.5 10 20.5 21.5 0.5; r 6.5 13.5 11 22 0; r 13.5 13.5 17.5 17.5 0",
    "shelter": "P 12 2 23 12 1 12; R 4.5 11 19.5 21.5 0.5; r 9.8 14.5 14.2 22 0",
    "shield": (
        "P 12 1.5 20.5 4.5 20.5 11.5 17.5 18 12 22.5 6.5 18 3.5 11.5 3.5 4.5; p 12 6.5 13.5 10 17 10.2 14.3 12.5 "
        "15.2 16 12 14 8.8 16 9.7 12.5 7 10.2 10.5 10"
    ),
    "flame": (
        "P 12.5 1.5 14 5.5 17.5 9.5 18.7 14 17.4 18.5 14.5 21.5 9.5 21.5 6.6 18.5 5.3 14 6.4 10 8.2 8 9.3 11 10.6 "
        "5.5; p 12 12.5 14.8 16 14 19.5 10 19.5 9.2 16"
    ),
    "columns": "P 12 1.5 22.5 7.5 1.5 7.5; R 3.5 9 7 18 0; R 10.2 9 13.8 18 0; R 17 9 20.5 18 0; R 1.5 19 22.5 22 0.3",
    "pagoda": "P 12 1.5 18 6.5 6 6.5; R 8.5 6 15.5 9.5 0; P 2 14 8 9 16 9 22 14; R 5 13 19 22 0; r 10 16 14 22 0",
    "fuel": (
        "R 3.5 2.5 14 20 1; R 2 19 15.5 22 0.5; r 6 5 11.5 10 0.4; L 1.9 14 12.5 17.2 12.5 17.2 18.2 20 18.2 20 8 "
        "16.8 4.8"
    ),
    "bowl": "P 2 11 22 11 19.5 17.5 15 20.5 9 20.5 4.5 17.5; L 1.7 9.5 9 19 2; L 1.7 13 9 21.5 4.5",
    "bed": "R 1.5 4.5 4.3 20 0.5; R 1.5 13.5 22.5 17 0.3; R 19.7 13.5 22.5 20 0.5; C 8 10 2.6; R 11.5 8 22 12.5 1.5",
    "coin": (
        "O 12 12 10.2 2.4; L 2 12 6.2 12 17.8; A 12 9.8 3.4 160 320 2; A 12 14.4 3.4 -20 140 2; L 2 9.2 10.8 14.8 13.4"
    ),
    "pin": "C 12 9 7; P 5.5 11.5 18.5 11.5 12 22.5; c 12 9 2.8",
    "staff": (
        "R 8.5 1.5 15.5 16 0.5; l 1.5 12.5 4.5 15.5 4.5; l 1.5 11 7.7 15.5 7.7; l 1.5 12.5 10.9 15.5 10.9; L 2 2 "
        "18.5 5.3 16.5 8.7 18.5 12 20.5 15.3 18.5 18.7 16.5 22 18.5"
    ),
    "rain": (
        "C 7.5 9.5 4.2; C 12.5 7 5.2; C 17.5 10 3.8; R 6 9 18.5 13.7 2; L 2 8 16.5 6.7 20.5; L 2 12.7 16.5 11.4 "
        "20.5; L 2 17.4 16.5 16.1 20.5"
    ),
    "flow": (
        "L 2.4 2.5 7 6 5 9.5 7 13 9 16 7.6; P 15 2.5 22.5 7 15.5 11.5; L 2.4 2.5 17 6 15 9.5 17 13 19 16.5 17 21 15"
    ),
    "drop": "P 12 1.5 18 11.5 6 11.5; C 12 15 7",
    "well": (
        "L 2.2 2 5 22 5; P 12 8 16.5 14.5 7.5 14.5; C 12 16.5 5.2; L 1.6 4.5 5 3 8; L 1.6 10 5 8.5 8; L 1.6 15.5 "
        "5 14 8; L 1.6 21 5 19.5 8"
    ),
    "wind": (
        "L 2.3 2 9 14 9; A 14 6 4.2 -170 90 2.3; L 2.3 2 13 19 13; A 18 16.6 4.7 -90 140 2.3; L 2.3 4 17 11 17; A "
        "11 19.4 3.5 -90 100 2.3"
    ),
    "noise": "P 2.5 9 7 9 13 3.5 13 20.5 7 15 2.5 15; A 13 12 6.2 -50 50 2; A 13 12 10 -50 50 2",
    "soil": (
        "L 2.2 2.5 8 21.5 8; L 2.2 12 8 12 3; A 15 5 4 120 270 2; C 6 13 1.5; C 12 12.5 1.5; C 18 13 1.5; C 9 "
        "17.5 1.5; C 15 17.5 1.5; C 12 21.5 1.2"
    ),
    "gauge": "O 12 12 10.2 2.4; L 2.2 12 12 16.5 7.5; C 12 12 2.2",
    "arrow": "P 5 3.5 20 12 5 20.5 9 12",
}

# What a pictogram becomes for one value of the property that colours the layer: ``<icon>-<value>``.
_BY_VALUE: dict[str, dict[str, str]] = {
    "manhole": {"inlet": "inlet", "outfall": "outfall", "storage": "tank", "junction": "junction"},
    "junction": {"tank": "tank", "reservoir": "drop"},
    "gauge": {
        "stage": "staff", "rain": "rain", "flow": "flow", "pump": "pump", "gate": "gate", "water_quality": "drop",
        "groundwater": "well", "licensed_discharge": "outfall", "air_quality": "wind", "light": "lamp",
        "traffic": "car", "bin_level": "bin", "parking_bay": "parking", "electricity_meter": "bolt", "air": "wind",
        "water_pressure": "gauge",
        "surface_water": "drop", "wastewater": "outfall", "noise": "noise", "soil": "soil",
    },
    "pin": {
        "school": "school", "university": "school", "hospital": "cross", "clinic": "clinic", "pharmacy": "pill",
        "market": "market", "shelter": "shelter", "police": "shield", "fire_station": "flame", "government": "columns",
        "worship": "pagoda", "fuel": "fuel", "food": "bowl", "lodging": "bed", "bank": "coin",
    },
    "entrance": {"exit": "exit", "meter": "meter", "charger": "plug"},
    "drop": {"well": "well", "tank": "tank"},
    "cabinet": {"exchange": "cabinet", "chamber": "cable"},
}  # fmt: skip

# Hatches of 16 × 16 that join without a seam, from light to dark: they tell classes apart where colour is lost.
HATCH_SIZE = 16
HATCHES: dict[str, str] = {
    "hatch-dots": "C 4 4 1; C 12 12 1",
    "hatch-rise": "L 0.9 -1 9 9 -1; L 0.9 7 17 17 7",
    "hatch-fall": "L 0.9 -1 7 9 17; L 0.9 7 -1 17 9",
    "hatch-level": "L 0.9 -1 4 17 4; L 0.9 -1 12 17 12",
    "hatch-upright": "L 0.9 4 -1 4 17; L 0.9 12 -1 12 17",
    "hatch-grid": "L 0.9 -1 8 17 8; L 0.9 8 -1 8 17",
    "hatch-net": "L 0.8 -1 9 9 -1; L 0.8 7 17 17 7; L 0.8 -1 7 9 17; L 0.8 7 -1 17 9",
    "hatch-wave": "L 0.9 -4 7 4 3 12 7 20 3; L 0.9 -4 15 4 11 12 15 20 11",
    "hatch-tufts": "L 0.9 4 3 4 7; L 0.9 2 5.5 4 7 6 5.5; L 0.9 12 11 12 15; L 0.9 10 13.5 12 15 14 13.5",
    "hatch-dense": "L 1.1 -1 5 5 -1; L 1.1 -1 13 13 -1; L 1.1 3 17 17 3; L 1.1 11 17 17 11",
}


def parse_strokes(drawing: str) -> list[Stroke]:
    """Return the strokes of a drawing in their order."""
    strokes = []
    for words in drawing.split(";"):
        letter, *numbers = words.split()
        strokes.append(Stroke(letter.upper(), tuple(float(number) for number in numbers), letter.islower()))
    return strokes


def find_icon(icon: str, value: str | None = None) -> str:
    """Return the pictogram of a layer with ``icon`` for one ``value`` of the property that colours it."""
    return _BY_VALUE.get(icon, {}).get(value or "", icon)


def list_variants(icon: str) -> dict[str, str]:
    """Return the pictograms that values have in place of ``icon``."""
    return dict(_BY_VALUE.get(icon, {}))
