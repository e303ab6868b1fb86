"""What a process found is told without the items that who asked may not see: processes read the city whole."""

from collections.abc import Mapping

import geopandas as gpd
from sqlalchemy import Engine

from layers.access import visible_layers, who_asks
from layers.registry import read_vector_layer
from layers.store.hiding import read_hidden_items


def hide_items(engine: Engine, features: Mapping[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    """Return ``features`` without the rows that name an item of a layer, or a guarded item, hidden from who asks."""
    named = {name: read_vector_layer(name).named_items for name in features}
    if not any(named.values()):
        return dict(features)
    hidden = find_hidden(engine)
    return {name: _hide(frame, named[name], hidden) for name, frame in features.items()}


def find_hidden(engine: Engine) -> frozenset[str]:
    """Return the items, as ``layer/id``, that are hidden from who asks by their guard."""
    reach = who_asks()
    if reach.sees("restricted") and not reach.wards:
        return frozenset()
    with engine.connect() as connection:
        return read_hidden_items(connection)


def _hide(frame: gpd.GeoDataFrame, pairs: tuple[tuple[str, str], ...], hidden: frozenset[str]) -> gpd.GeoDataFrame:
    for layer, item in pairs:
        if layer in frame.columns and item in frame.columns:
            named = frame[layer].astype(str) + "/" + frame[item].astype(str)
            unseen = frame[layer].notna() & ~frame[layer].isin([*visible_layers(), ""])
            frame = frame[~named.isin(hidden) & ~unseen]
    return frame
