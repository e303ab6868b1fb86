"""The catalogue of the city for TerriaJS."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.answers import answer_json
from api.catalog import describe_city
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.terria import build_terria
from layers.access import visible_layers
from layers.store.rasters import list_newest_rasters
from layers.store.sources import list_sources

router = APIRouter(tags=["styles"], dependencies=[Depends(refuse_unknown)])


@router.get("/api/terria.json", summary="Catalogue for TerriaJS")
def read_terria(connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Return a TerriaJS initialization file with every layer that holds something."""
    counts = {key: resources.read_extent(connection, layer).count for key, layer in visible_layers().items()}
    said: dict[str, dict[str, None]] = {}
    for source in list_sources(connection, None):
        for layer_id in source.layers if source.attribution else ():
            said.setdefault(layer_id, {})[source.attribution] = None
    attributions = {layer_id: "; ".join(texts) for layer_id, texts in said.items()}
    city = describe_city(connection, resources)
    made = build_terria(city, counts, list_newest_rasters(connection), attributions, links)
    return answer_json(made, headers={"cache-control": "no-cache"})
