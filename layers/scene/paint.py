"""Colours of solids, as their layer's style declares them for the map."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from layers.schema import VectorLayer


def paint_solids(layer: VectorLayer, values: Sequence[object]) -> NDArray[np.uint8]:
    """Return red, green, blue, alpha (n, 4) in linear light (glTF 2.0, 3.9.2) for n values of ``style.by``.

    A value without a colour of its own has the layer's.
    """
    style = layer.style
    prop = layer.find(style.by) if style.by else None
    known = {code.value: code.color for code in prop.codes if code.color} if prop is not None else {}
    colours = {value: _to_linear(known.get(str(value), style.color)) for value in set(values)}
    return np.array([colours[value] for value in values], dtype=np.uint8).reshape(-1, 4)


def _to_linear(colour: str) -> list[int]:
    """Return a colour written as sRGB in linear light (IEC 61966-2-1)."""
    parts = np.frombuffer(bytes.fromhex(colour.lstrip("#")[:6]), dtype=np.uint8) / 255.0
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return [*np.round(linear * 255.0).astype(int).tolist(), 255]
