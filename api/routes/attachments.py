"""Attachments: photographs and papers of an item."""

import re
from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from api.answers import answer_json, write_moment
from api.bodies import read_kind
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.links import Links
from api.resources import Resources
from api.writing import Writer, WriterOf
from layers.errors import InputError, NotFoundError
from layers.schema import VectorLayer
from layers.store.attachments import (
    Attachment,
    Incoming,
    delete_attachment,
    keep_attachment,
    list_attachments,
    read_attachment,
    receive_file,
)

OF_ITEM = "/api/collections/{collection_id}/items/{feature_id:path}/attachments"
_LONGEST_NAME = 200
_FILENAME = re.compile(r"""filename\*=UTF-8''([^;]+)|filename="?([^";]+)"?""", re.IGNORECASE)

router = APIRouter(tags=["upkeep"], dependencies=[Depends(refuse_unknown)])
AttachmentId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp", "application/pdf")
        },
    }
}


@router.post(OF_ITEM, status_code=201, summary="Attach a file to an item", openapi_extra=_BODY)
async def attach(
    collection_id: str,
    feature_id: str,
    request: Request,
    resources: ResourcesOf,
    links: LinksOf,
    writer: WriterOf,
    title: Annotated[str, Query(max_length=_LONGEST_NAME, description="What it shows")] = "",
) -> Response:
    """Take the body as a photograph (JPEG, PNG, WebP) or a PDF; ``Content-Disposition`` names the file."""
    layer = find_collection(collection_id)
    settings = resources.settings
    with receive_file(settings.processed_dir, settings.attachment_mb * 1_000_000) as incoming:
        async for block in request.stream():
            incoming.write(block)
        kept = await run_in_threadpool(_keep, resources, incoming, layer, feature_id, request, writer, title)
    return answer_json(_write(kept, links), status=201, headers={"location": links.url(f"/api/attachments/{kept.id}")})


def _keep(
    resources: Resources,
    incoming: Incoming,
    layer: VectorLayer,
    feature_id: str,
    request: Request,
    writer: Writer,
    title: str,
) -> Attachment:
    if incoming.size == 0:
        raise InputError("the body is empty, expected the bytes of a file")
    with resources.engine.begin() as connection:
        return keep_attachment(
            connection,
            resources.settings.processed_dir,
            incoming,
            layer,
            feature_id,
            media_type=read_kind(request),
            filename=read_filename(request.headers.get("content-disposition", "")),
            title=title,
            author=writer.author,
        )


def read_filename(disposition: str) -> str:
    """Return the bare file name in a ``Content-Disposition`` header, or ``file``."""
    found = _FILENAME.search(disposition)
    if found is None:
        return "file"
    name = unquote(found[1]) if found[1] else found[2].strip()
    bare = "".join(letter for letter in re.split(r"[/\\]", name)[-1] if letter.isprintable())
    return bare[-_LONGEST_NAME:] or "file"


@router.get(OF_ITEM, summary="Files attached to an item")
def list_files(
    collection_id: str, feature_id: str, connection: ConnectionOf, links: LinksOf, _writer: WriterOf
) -> Response:
    """List the files of an item, the newest first."""
    found = list_attachments(connection, find_collection(collection_id).id, feature_id)
    return answer_json({"attachments": [_write(one, links) for one in found]}, headers={"cache-control": "no-store"})


@router.get("/api/attachments/{attachment_id}", summary="An attached file")
def read_file(
    attachment_id: AttachmentId, connection: ConnectionOf, resources: ResourcesOf, _writer: WriterOf
) -> Response:
    """Return the bytes as they came."""
    kept = read_attachment(connection, attachment_id)
    path = resources.settings.processed_dir / kept.path
    if not path.is_file():
        raise NotFoundError(f"the file of attachment {attachment_id} is not in its place", hint="restore it")
    # A browser draws pictures; papers it hands to the person.
    shown = "inline" if kept.media_type.startswith("image/") else "attachment"
    headers = {
        "content-disposition": f"{shown}; filename*=UTF-8''{quote(kept.filename)}",
        "cache-control": "private, max-age=31536000, immutable",
        "content-security-policy": "sandbox; default-src 'none'",
    }
    return FileResponse(path, media_type=kept.media_type, headers=headers)


@router.delete("/api/attachments/{attachment_id}", status_code=204, summary="Take an attached file out of sight")
def delete_file(attachment_id: AttachmentId, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Take it out of sight; record and file are kept."""
    delete_attachment(connection, attachment_id, author=writer.author, reason=writer.reason)
    return Response(status_code=204)


def _write(kept: Attachment, links: Links) -> dict[str, Any]:
    return {
        "id": kept.id,
        "collection": kept.layer,
        "feature": kept.feature,
        "title": kept.title,
        "filename": kept.filename,
        "media_type": kept.media_type,
        "bytes": kept.bytes,
        "sha256": kept.sha256,
        "author": kept.author,
        "created": write_moment(kept.created),
        "href": links.url(f"/api/attachments/{kept.id}"),
    }
