"""JSON bodies of requests: of a type that says so, and an object."""

from collections.abc import Collection
from typing import Any

import orjson
from fastapi import Request

from layers.errors import InputError


async def read_json(request: Request, kinds: Collection[str]) -> dict[str, Any]:
    """Return the body as a JSON object; InputError says what it is instead.

    Only what says that it is JSON is read: a form of another site can send anything else without asking.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        raise InputError(f"content-type '{kind[:80]}' is not read", hint=f"send {' or '.join(kinds)}")
    try:
        document = orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError("the body is not a JSON object")
    return document
