"""Which solid stands in which tile of the scene: large ones in large tiles, so that a far view has the skyline.

Tiles are those of WebMercatorQuad. A solid stands in the one tile that holds the middle of its box, at the zoom of its
size: the diagonal of its box [m].
"""

TOP_ZOOM, LEAF_ZOOM = 11, 16
_SMALLEST = 24.0
_WEIGHT = 3.0
"""How many times its size the error is of leaving a solid out: where one is missing, a whole quarter is."""
LEVELS = tuple(
    (zoom, 0.0 if zoom == LEAF_ZOOM else _SMALLEST * 2.0 ** (LEAF_ZOOM - 1 - zoom))
    for zoom in range(TOP_ZOOM, LEAF_ZOOM + 1)
)
"""(zoom, smallest size [m]) from the top down."""


def find_error(zoom: int) -> float:
    """Return the geometric error [m] of a tile of ``zoom`` without its children (OGC 22-025r4, 7.3).

    It grows with the size of the largest solid that may stand below the tile.
    """
    return _WEIGHT * dict(LEVELS)[zoom]
