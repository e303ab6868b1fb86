"""Many readings at once: CSV into the store by COPY."""

import tempfile
from typing import IO

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import answer_json
from api.bodies import read_kind
from api.dependencies import ResourcesOf, refuse_unknown
from api.principal import current_principal
from api.resources import Resources
from api.writing import Writer, WriterOf
from layers.errors import InputError, TooLargeError
from layers.store.sensing.csv_loading import load_csv
from layers.store.sensing.writing import SENT_AGAIN, ObservationCounts

IN_MEMORY = 4_000_000
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}

router = APIRouter(prefix="/sensors", tags=["sensors"], dependencies=[Depends(refuse_unknown)])


@router.post("/observations", status_code=201, summary="Store readings sent as CSV", openapi_extra=_BODY)
async def load_observations(request: Request, resources: ResourcesOf, writer: WriterOf) -> Response:
    """Store a CSV with the columns datastream_id, phenomenon_time, result and perhaps quality: all of it or nothing.

    It waits on the disk until it is whole, so that a slow line holds no database connection.
    """
    kind = read_kind(request)
    if kind != "text/csv":
        raise InputError(f"content-type '{kind[:80]}' is not read", hint="send text/csv")
    limit = resources.settings.observation_csv_mb * 1_000_000
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        size = 0
        async for block in request.stream():
            size += len(block)
            if size > limit:
                raise TooLargeError(f"the body is larger than {limit} bytes", hint="send it in parts")
            file.write(block)
        file.seek(0)
        counts = await run_in_threadpool(_load, resources, file, writer, current_principal(request).streams)
    told = {"new": counts.new, "changed": counts.changed, "unchanged": counts.unchanged, "repeated": counts.repeated}
    return answer_json(told, status=201, headers={"cache-control": "no-store"})


def _load(resources: Resources, file: IO[bytes], writer: Writer, only: frozenset[str] | None) -> ObservationCounts:
    with resources.engine.begin() as connection:
        return load_csv(connection, file, author=writer.author, reason=writer.reason or SENT_AGAIN, only=only)
