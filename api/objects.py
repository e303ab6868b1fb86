"""Answers out of a bucket: an object, whole or the range of bytes that was asked for."""

import re
from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from layers.store.objects import read_range, stat_object, stream_range

_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_AT_ONCE = 4_000_000


def answer_object(url: str, request: Request, *, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return an object, its range, or that it did not change. Of several ranges the whole object is returned.

    NotFoundError when there is no such object.
    """
    stat = stat_object(url)
    told = {**headers, "etag": stat.etag, "accept-ranges": "bytes"}
    if stat.etag and stat.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=told)
    asked = request.headers.get("range")
    if asked is not None and request.headers.get("if-range", stat.etag) == stat.etag:
        found = _RANGE.fullmatch(asked)
        if found is not None and (found[1] or found[2]):
            return _answer_range(url, found[1], found[2], stat.size, stat.etag, media_type, told)
    told["content-length"] = str(stat.size)
    return StreamingResponse(stream_range(url, 0, stat.size, etag=stat.etag), media_type=media_type, headers=told)


def _answer_range(
    url: str, first: str, last: str, size: int, etag: str, media_type: str, told: dict[str, str]
) -> Response:
    """Return a range; without ``first`` the last so many bytes."""
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        return Response(status_code=416, headers={"content-range": f"bytes */{size}"})
    told |= {"content-range": f"bytes {start}-{end}/{size}", "content-length": str(end - start + 1)}
    length = end - start + 1
    if length <= _AT_ONCE:
        body = read_range(url, start, length, etag=etag)
        return Response(body, status_code=206, media_type=media_type, headers=told)
    return StreamingResponse(
        stream_range(url, start, length, etag=etag), status_code=206, media_type=media_type, headers=told
    )
