"""The networks of the routing bench: the streets of Porto Alegre from OpenStreetMap, and a made-up city."""

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Arrays = dict[str, NDArray[np.generic]]

_ROOT = Path(__file__).resolve().parent.parent
_SPACING, _BLOCK = 100.0, 5
_SPEEDS = {"motorway": 90, "trunk": 80, "primary": 60, "secondary": 50, "tertiary": 40, "residential": 30}
_SLOW = 20
_EARTH = 6_371_008.8


def find_streets() -> Path | None:
    """Return the file of Porto Alegre in the folder of real test data, None where it is absent."""
    folder = Path(os.environ.get("TWIN_TEST_DATA", _ROOT.parent / "shared" / "data"))
    path = folder / "porto-alegre" / "poa_osm.pbf"
    return path if path.exists() else None


def read_streets(path: Path) -> Arrays:
    """Return every stretch between two vertices of every highway of a file as arcs: tails, heads, costs [s], xy [m].

    Vertices stay nodes, as in most tools that read OpenStreetMap; places are an equirectangular projection.
    """
    reader = _Reader()
    reader.apply_file(str(path), locations=True)
    degrees = np.radians(np.array(reader.places))
    xy = np.column_stack((degrees[:, 0] * np.cos(degrees[:, 1].mean()), degrees[:, 1])) * _EARTH
    tails, heads = np.array(reader.ends, np.int32).T
    lengths = np.hypot(*(xy[tails] - xy[heads]).T)
    return _sort({"tails": tails, "heads": heads, "costs": lengths * 3.6 / np.array(reader.speeds), "xy": xy})


def make_city(side: int = 220, seed: int = 7) -> Arrays:
    """Return a city of about 100,000 nodes as ``read_streets`` does.

    Main streets every 500 m; between them lanes that often end; alleys of one to three pieces off the lanes; a river
    that every fourth main street crosses; one street in eight is one-way.
    """
    chance = np.random.default_rng(seed)
    node = np.arange(side * side).reshape(side, side)
    column, row = np.tile(np.arange(side), side), np.repeat(np.arange(side), side)
    xy = np.column_stack((column, row)) * _SPACING + chance.uniform(-30.0, 30.0, (side * side, 2))
    a = np.concatenate((node[:, :-1].ravel(), node[:-1].ravel()))
    b = np.concatenate((node[:, 1:].ravel(), node[1:].ravel()))
    along = np.arange(a.size) < node[:, :-1].size
    main = np.where(along, row[a] % _BLOCK == 0, column[a] % _BLOCK == 0)
    meets_main = (row[a] % _BLOCK == 0) | (row[b] % _BLOCK == 0) | (column[a] % _BLOCK == 0) | (column[b] % _BLOCK == 0)
    kept = main | (chance.random(a.size) < np.where(meets_main, 0.45, 0.75))
    river = (row[a] == side // 2) & ~along
    kept &= ~river | (main & (column[a] % (4 * _BLOCK) == 0))
    a, b, main = a[kept], b[kept], main[kept]
    lanes = np.flatnonzero((row % _BLOCK != 0) & (column % _BLOCK != 0))
    for _ in range(3):
        begins = chance.choice(lanes, int(lanes.size * 0.75), replace=False)
        ends = np.arange(begins.size) + xy.shape[0]
        xy = np.concatenate((xy, xy[begins] + chance.uniform(-40.0, 40.0, (begins.size, 2))))
        a, b = np.concatenate((a, begins)), np.concatenate((b, ends))
        main = np.concatenate((main, np.zeros(begins.size, np.bool_)))
        lanes = ends
    _, part = connected_components(csr_array((np.ones(a.size), (a, b)), shape=(xy.shape[0],) * 2), directed=False)
    inside = part == np.bincount(part).argmax()
    number = np.cumsum(inside) - 1
    joined = inside[a]
    a, b, main = number[a[joined]], number[b[joined]], main[joined]
    xy = xy[inside]
    seconds = np.hypot(*(xy[a] - xy[b]).T) * 3.6 / np.where(main, chance.choice([40.0, 50.0, 60.0], a.size), 20.0)
    back = chance.random(a.size) >= 0.125
    return _sort(
        {
            "tails": np.concatenate((a, b[back])).astype(np.int32),
            "heads": np.concatenate((b, a[back])).astype(np.int32),
            "costs": np.concatenate((seconds, seconds[back])),
            "xy": xy,
        }
    )


class _Reader(osmium.SimpleHandler):
    """Collects stretches of highways in both directions, or in the one that is allowed."""

    def __init__(self) -> None:
        super().__init__()
        self.number: dict[int, int] = {}
        self.places: list[tuple[float, float]] = []
        self.ends: list[tuple[int, int]] = []
        self.speeds: list[float] = []

    def way(self, way: osmium.osm.Way) -> None:
        """Take the stretches of one way."""
        kind = way.tags.get("highway")
        if kind is None:
            return
        told = way.tags.get("oneway")
        ahead, back = told != "-1", told != "yes"
        nodes = [self._find(point) for point in way.nodes if point.location.valid()]
        for pair in pairwise(nodes):
            allowed = [pair] * ahead + [(pair[1], pair[0])] * back
            self.ends += allowed
            self.speeds += [_SPEEDS.get(kind.removesuffix("_link"), _SLOW)] * len(allowed)

    def _find(self, point: osmium.osm.NodeRef) -> int:
        number = self.number.setdefault(point.ref, len(self.places))
        if number == len(self.places):
            self.places.append((point.lon, point.lat))
        return number


def _sort(arrays: Arrays) -> Arrays:
    """Return the arcs by tail and head, of parallel ones only the cheapest: peers disagree about the others."""
    order = np.lexsort((arrays["costs"], arrays["heads"], arrays["tails"]))
    tails, heads = arrays["tails"][order], arrays["heads"][order]
    new = np.ones(order.size, np.bool_)
    new[1:] = (tails[1:] != tails[:-1]) | (heads[1:] != heads[:-1])
    new &= tails != heads
    kept = order[new]
    return {**{name: arrays[name][kept] for name in ("tails", "heads", "costs")}, "xy": arrays["xy"]}
