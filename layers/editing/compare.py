"""What differs between two versions of a feature."""

from dataclasses import dataclass
from typing import Any, Literal

import shapely

from layers.schema import VectorLayer
from layers.store.history import Pair


@dataclass(frozen=True, slots=True)
class Difference:
    """What happened to a feature: old and new value of each property that changed, and how far it moved [m].

    ``moved`` is the largest distance of a point of one shape from the other; None where the shape stayed.
    """

    change: Literal["created", "changed", "deleted", "none"]
    properties: dict[str, tuple[Any, Any]]
    moved: float | None = None


def compare_versions(layer: VectorLayer, pair: Pair) -> Difference:
    """Return what differs of what who asks may see."""
    if pair.old is None or pair.new is None:
        return Difference("deleted" if pair.new is None else "created", {})
    old, new = pair.old, pair.new
    changed = {
        prop.name: (old.values[prop.name], new.values[prop.name])
        for prop in layer.properties
        if old.values[prop.name] != new.values[prop.name]
    }
    moved = None
    if not shapely.equals_identical(old.shape, new.shape):
        moved = round(float(shapely.hausdorff_distance(old.shape, new.shape)), 3)
    return Difference("changed" if changed or moved is not None else "none", changed, moved)
