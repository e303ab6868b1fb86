"""What routes ask for: the server's resources, links, a connection, and parameters that are all known."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from sqlalchemy import Connection

from api.links import Links
from api.resources import Resources
from layers.access import visible_layers
from layers.errors import InputError, NotFoundError
from layers.schema import VectorLayer


async def give_resources(request: Request) -> Resources:
    """Return what the server holds (asynchronous: an answer of its own thread would cost more than the work)."""
    held: Resources = request.app.state.resources
    return held


async def give_links(request: Request) -> Links:
    """Return the maker of links."""
    return Links.of(request)


def give_connection(request: Request) -> Iterator[Connection]:
    """Return a connection whose transaction is committed when the route succeeds."""
    held: Resources = request.app.state.resources
    with held.engine.begin() as connection:
        yield connection


async def refuse_unknown(request: Request) -> None:
    """Raise InputError for a query parameter the route does not declare, or one given twice."""
    known = list_parameters(request)
    for name, value in request.query_params.items():
        # Many clients ask for JSON in this way wherever they go.
        if name not in known and (name, value) != ("f", "json"):
            hint = f"known: {', '.join(sorted(known))}" if known else "this address takes none"
            raise InputError(f"parameter '{name[:80]}' is not known", hint=hint)
        if len(request.query_params.getlist(name)) > 1:
            raise InputError(f"parameter '{name}' is given twice")


def list_parameters(request: Request) -> set[str]:
    """Return the names of the query parameters the route of ``request`` declares."""
    return _walk_parameters(request.scope["route"].dependant)


def _walk_parameters(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_walk_parameters(inner) for inner in dependant.dependencies))


def find_collection(layer_id: str) -> VectorLayer:
    """Return the vector layer ``layer_id`` as who asks sees it; NotFoundError names the ones that are seen."""
    seen = visible_layers()
    layer = seen.get(layer_id)
    if layer is None:
        raise NotFoundError(f"collection '{layer_id[:80]}' does not exist", hint=f"one of {', '.join(seen)}")
    return layer


ResourcesOf = Annotated[Resources, Depends(give_resources)]
LinksOf = Annotated[Links, Depends(give_links)]
# Closed before the answer leaves: who reads that something was written must find it.
ConnectionOf = Annotated[Connection, Depends(give_connection, scope="function")]
