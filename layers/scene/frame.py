"""Places on the WGS 84 ellipsoid: earth-centred coordinates, and the frame of a tile with east, north and up.

A tile's vertices are metres from its middle, small enough for 32-bit floats; where the middle lies stands as 64-bit
numbers in the tileset.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from layers.scene.mesh import Mesh

SEMI_MAJOR = 6378137.0
"""Semi-major axis of WGS 84 [m]."""
_FLATTENING = 1.0 / 298.257223563
_ECCENTRICITY2 = _FLATTENING * (2.0 - _FLATTENING)


def to_earth(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], height: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return earth-centred, earth-fixed coordinates (n, 3) [m] (EPSG:4978) of places [°] (n,) and ellipsoidal heights
    [m] (n,), by EPSG:9602.
    """
    lon, lat = np.radians(longitude), np.radians(latitude)
    radius = SEMI_MAJOR / np.sqrt(1.0 - _ECCENTRICITY2 * np.sin(lat) ** 2)
    across = (radius + height) * np.cos(lat)
    return np.column_stack(
        [across * np.cos(lon), across * np.sin(lon), (radius * (1.0 - _ECCENTRICITY2) + height) * np.sin(lat)]
    )


@dataclass(frozen=True)
class Frame:
    """East, north and up at a place [°] on the ellipsoid."""

    longitude: float
    latitude: float

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """(4, 4): from metres in this frame to earth-centred coordinates [m], for column vectors."""
        lon, lat = math.radians(self.longitude), math.radians(self.latitude)
        made = np.eye(4)
        made[:3, 0] = [-math.sin(lon), math.cos(lon), 0.0]
        made[:3, 1] = [-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)]
        made[:3, 2] = [math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)]
        made[:3, 3] = to_earth(np.array([self.longitude]), np.array([self.latitude]), np.zeros(1))[0]
        return made

    def place(self, longitude: NDArray[np.float64], latitude: NDArray[np.float64], height: NDArray[np.float64]
    ) -> NDArray[np.float64]:  # fmt: skip
        """Return east, north, up (n, 3) [m] of places [°] (n,) and ellipsoidal heights [m] (n,)."""
        return (to_earth(longitude, latitude, height) - self.matrix[:3, 3]) @ self.matrix[:3, :3]


@dataclass(frozen=True, slots=True)
class PlacedMesh:
    """A mesh in a frame: ``positions`` and ``normals`` (v, 3) east, north, up [m]; the rest as in ``Mesh``."""

    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    owners: NDArray[np.int64]
    roof: NDArray[np.bool_]
    triangles: NDArray[np.int64]


def place_mesh(mesh: Mesh, frame: Frame, to_degrees: Transformer, *, undulation: float = 0.0) -> PlacedMesh:
    """Return ``mesh`` in ``frame``; ``undulation`` [m] is added to its levels to make ellipsoidal heights.

    Normals are turned by the angle between the grid's north and true north at the middle of the corners; that "up"
    leans by 0.01° a kilometre is left out of them, not of the positions.
    """
    lon, lat = (np.asarray(part) for part in to_degrees.transform(mesh.corners[:, 0], mesh.corners[:, 1]))
    positions = frame.place(lon[mesh.corner], lat[mesh.corner], mesh.level + undulation)
    normals = mesh.normals.copy()
    if len(mesh.corners):
        middle = mesh.corners.mean(axis=0)
        ends = to_degrees.transform([middle[0], middle[0] + 1.0], [middle[1], middle[1]])
        east, north, _ = np.diff(frame.place(np.array(ends[0]), np.array(ends[1]), np.zeros(2)), axis=0)[0]
        turn = np.array([[east, north], [-north, east]]) / math.hypot(east, north)
        normals[:, :2] = normals[:, :2] @ turn
    return PlacedMesh(positions.astype(np.float32), normals.astype(np.float32), mesh.owners, mesh.roof, mesh.triangles)
