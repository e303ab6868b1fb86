"""The sprite of the map styles."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.answers import write_json
from api.dependencies import refuse_unknown
from api.styles.sprites import make_sprite
from api.unchanging import answer_unchanging
from layers.errors import NotFoundError

_RATIOS = {"twin": 1, "twin@2x": 2}

router = APIRouter(prefix="/api/sprites", tags=["styles"], dependencies=[Depends(refuse_unknown)])


@router.get("/{sprite}.json", summary="Index of the sprite")
def read_index(request: Request, sprite: str) -> Response:
    """Return where each picture of ``twin`` or ``twin@2x`` lies in the sprite."""
    return answer_unchanging(request, write_json(make_sprite(_find_ratio(sprite))[0]), "application/json")


@router.get("/{sprite}.png", summary="Picture of the sprite")
def read_picture(request: Request, sprite: str) -> Response:
    """Return the pictures of ``twin`` or ``twin@2x``; pictograms are distance fields in the alpha channel."""
    return answer_unchanging(request, make_sprite(_find_ratio(sprite))[1], "image/png")


def _find_ratio(sprite: str) -> int:
    if sprite not in _RATIOS:
        raise NotFoundError(f"sprite '{sprite[:80]}' does not exist", hint=f"one of {', '.join(_RATIOS)}")
    return _RATIOS[sprite]
