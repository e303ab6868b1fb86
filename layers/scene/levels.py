"""Which solid stands in which tile of the scene: large ones in large tiles, so that a far view has the skyline.

Tiles are those of WebMercatorQuad. A solid stands in the one tile that holds the middle of its box, at the zoom of its
size: the diagonal of its box [m]. What a tile leaves to its children is smaller than ``find_error`` [m], which is the
tile's geometric error (OGC 22-025r4, 7.3).
"""

TOP_ZOOM, LEAF_ZOOM = 11, 16
_SMALLEST = 24.0
LEVELS = tuple(
    (zoom, 0.0 if zoom == LEAF_ZOOM else _SMALLEST * 2.0 ** (LEAF_ZOOM - 1 - zoom))
    for zoom in range(TOP_ZOOM, LEAF_ZOOM + 1)
)
"""(zoom, smallest size [m]) from the top down."""


def find_error(zoom: int) -> float:
    """Return the size [m] below which solids stand under a tile of ``zoom``, not in it: its geometric error."""
    return dict(LEVELS)[zoom]
