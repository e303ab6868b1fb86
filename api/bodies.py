"""JSON bodies of requests: of a type that says so, and an object."""

from collections.abc import Collection
from typing import Any

import orjson
from fastapi import Request

from layers.errors import InputError


def read_kind(request: Request) -> str:
    """Return the media type of the body in small letters, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request, kinds: Collection[str], *, hint: str | None = None) -> dict[str, Any]:
    """Return the body as a JSON object; InputError says what it is instead, with ``hint`` of what it should hold.

    Only what says that it is JSON is read: a form of another site can send anything else without asking.
    """
    kind = read_kind(request)
    if kind not in kinds:
        raise InputError(f"content-type '{kind[:80]}' is not read", hint=f"send {' or '.join(kinds)}")
    try:
        document = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError("the body is not a JSON object", hint=hint)
    return document
