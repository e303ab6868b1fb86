"""What a process found is told without the items that who asked may not see: processes read the city whole."""

from collections.abc import Mapping

import geopandas as gpd
from sqlalchemy import Engine

from layers.access import visible_layers, who_asks
from layers.store.rights import PAIRS, read_hidden_items


def hide_items(engine: Engine, features: Mapping[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    """Return ``features`` without the rows that name an item of a layer, or a guarded item, hidden from who asks."""
    reach = who_asks()
    if reach.sees("restricted") and not reach.wards:
        return dict(features)
    with engine.connect() as connection:
        hidden = read_hidden_items(connection)
    return {layer_id: _hide(frame, hidden) for layer_id, frame in features.items()}


def _hide(frame: gpd.GeoDataFrame, hidden: frozenset[str]) -> gpd.GeoDataFrame:
    for layer, item in PAIRS:
        if layer in frame.columns and item in frame.columns:
            named = frame[layer].astype(str) + "/" + frame[item].astype(str)
            unseen = frame[layer].notna() & ~frame[layer].isin([*visible_layers(), ""])
            frame = frame[~named.isin(hidden) & ~unseen]
    return frame
