"""The legend of a layer."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.answers import write_json
from api.dependencies import ConnectionOf, refuse_unknown
from api.styles.colors import Mode
from api.styles.legend_svg import write_legend_svg
from api.styles.legends import Lang, describe_legend, draw_legend_picture
from api.unchanging import answer_unchanging
from layers.access import visible_layers, visible_rasters
from layers.errors import NotFoundError
from layers.schema import RasterLayer, VectorLayer
from layers.store.rasters import find_raster

router = APIRouter(tags=["styles"], dependencies=[Depends(refuse_unknown)])


@router.get("/api/collections/{collection_id}/legend", summary="Legend of a layer")
def read_legend(
    request: Request,
    collection_id: str,
    connection: ConnectionOf,
    f: Annotated[Literal["json", "png", "svg"], Query(description="Data, a picture or a drawing")] = "json",
    lang: Annotated[Lang, Query(description="Language of the words in a picture")] = "vi",
    style: Annotated[Mode, Query(description="The map style whose colours are explained")] = "light",
    scale: Annotated[int, Query(ge=1, le=4, description="Pixels to a unit of a PNG")] = 1,
) -> Response:
    """Return what the colours, dashes and pictograms of a vector or raster layer mean."""
    layer = visible_layers().get(collection_id) or visible_rasters().get(collection_id)
    if layer is None:
        layer = visible_rasters().get(find_raster(connection, collection_id).layer)
    if layer is None:
        raise NotFoundError(f"collection '{collection_id[:80]}' does not exist")
    return _answer(request, layer, f, lang, style, scale)


def _answer(
    request: Request, layer: VectorLayer | RasterLayer, f: str, lang: Lang, style: Mode, scale: int
) -> Response:
    if f == "png":
        picture = draw_legend_picture(layer, lang=lang, scale=scale, mode=style)
        return answer_unchanging(request, picture, "image/png")
    if f == "svg":
        return answer_unchanging(request, write_legend_svg(layer, lang=lang, mode=style), "image/svg+xml")
    return answer_unchanging(request, write_json(describe_legend(layer)), "application/json")
