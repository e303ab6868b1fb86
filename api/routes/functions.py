"""Functions a filter may call beside the operators of CQL2 (OGC API Features Part 3)."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import refuse_unknown
from layers.store.query.filter_functions import FUNCTIONS

router = APIRouter(prefix="/api/functions", tags=["items"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="Functions for filters")
def list_functions() -> Response:
    """List the functions with their arguments, and a use of each."""
    return answer_json(
        {
            "functions": [
                {
                    "name": function.name,
                    "description": function.meaning,
                    "arguments": [{"title": title, "type": [kind]} for title, kind in function.arguments],
                    "returns": ["boolean"],
                    "example": function.use,
                }
                for function in FUNCTIONS
            ]
        }
    )
