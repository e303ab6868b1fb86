"""Batches (OGC 18-088, 11): many requests in one, in order, some of them all or none.

A request may speak of what an earlier one made: ``$1`` in an address (``$1/Datastreams``) or ``{"@iot.id": "$1"}`` in a
body stand for what request ``1`` created. Two forms, read and written elsewhere: JSON, and multipart/mixed of OData.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import orjson

from api.answers import write_json
from layers.errors import InputError

MOST_REQUESTS = 10_000
ROLLED_BACK = 424
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
_REFERENCE = re.compile(r"\$([A-Za-z0-9_.~-]+)")


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """One request of a batch: ``url`` below the service root; ``group`` names those that are all or none.

    ``wrong`` says why its body cannot be read.
    """

    id: str
    method: str
    url: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None
    depends_on: Sequence[str] = ()
    wrong: str | None = None


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """The answer to one: ``made`` is the address below the service root of what it created."""

    id: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    made: str | None = None


Ask = Callable[[BatchRequest], Awaitable[BatchAnswer]]
AskTogether = Callable[[Sequence[BatchRequest], Mapping[str, str]], Awaitable[list[BatchAnswer]]]


async def answer_batch(
    requests: Sequence[BatchRequest], ask: Ask, ask_together: AskTogether, *, go_on: bool
) -> list[BatchAnswer]:
    """Return the answers in order: single requests by ``ask``, groups by ``ask_together``.

    Unless ``go_on``, nothing is asked after the first that fails. What depends on a request that failed fails with 424.
    """
    answers: list[BatchAnswer] = []
    made: dict[str, str] = {}
    failed: set[str] = set()
    for together in _split_groups(requests):
        needed = {name for request in together for name in request.depends_on}
        if needed & failed:
            got = [
                fail(request, ROLLED_BACK, f"it depends on {sorted(needed & failed)}, which failed")
                for request in together
            ]
        elif together[0].group is None:
            try:
                got = [await ask(resolve(together[0], made))]
            except InputError as error:
                got = [fail(together[0], 400, error.message)]
        else:
            got = await ask_together(together, made)
        answers += got
        made |= {answer.id: answer.made for answer in got if answer.made is not None}
        wrong = [answer.id for answer in got if answer.status >= 400]
        failed |= {*wrong, *((together[0].group,) if wrong and together[0].group else ())}
        if wrong and not go_on:
            break
    return answers


def resolve(request: BatchRequest, made: Mapping[str, str]) -> BatchRequest:
    """Return the request with what earlier ones made in the place of ``$id``; InputError where nothing was made."""
    if request.wrong is not None:
        raise InputError(request.wrong)
    url = request.url
    if found := _REFERENCE.match(url):
        url = _find(found[1], made, request.id) + url[found.end() :]
    body = _resolve_body(request.body, made, request.id)
    return BatchRequest(request.id, request.method, url, body, request.headers, request.group, request.depends_on)


def fail(request: BatchRequest, status: int, detail: str) -> BatchAnswer:
    """Return the answer of a request that was not done."""
    problem = {"type": "urn:twin:problem:bad-input", "status": status, "detail": detail}
    return BatchAnswer(request.id, status, {"content-type": "application/problem+json"}, write_json(problem))


def _split_groups(requests: Sequence[BatchRequest]) -> list[list[BatchRequest]]:
    """Return requests one by one, those of a group together where its first one stands."""
    groups: dict[str, list[BatchRequest]] = {}
    split: list[list[BatchRequest]] = []
    for request in requests:
        if request.group is None:
            split.append([request])
        elif request.group in groups:
            groups[request.group].append(request)
        else:
            groups[request.group] = [request]
            split.append(groups[request.group])
    return split


def _resolve_body(body: Any, made: Mapping[str, str], asking: str) -> Any:
    if isinstance(body, list):
        return [_resolve_body(one, made, asking) for one in body]
    if not isinstance(body, dict):
        return body
    resolved = {}
    for name, value in body.items():
        if name == "@iot.id" and isinstance(value, str) and (found := _REFERENCE.fullmatch(value)):
            resolved[name] = read_key(_find(found[1], made, asking))
        else:
            resolved[name] = _resolve_body(value, made, asking)
    return resolved


def _find(name: str, made: Mapping[str, str], asking: str) -> str:
    if name not in made:
        raise InputError(f"request '{asking}' speaks of '${name[:40]}', which made nothing before it")
    return made[name]


def read_key(address: str) -> str:
    """Return the id in an address such as ``Things('x')``."""
    return unquote(address[address.index("('") + 2 : -2]).replace("''", "'")


def parse_json_batch(document: Any) -> list[BatchRequest]:
    """Return the requests of a JSON batch; InputError names what is missing."""
    listed = document.get("requests") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise InputError("a batch is an object with a list of requests", hint='{"requests": [{"id": "1", …}]}')
    if len(listed) > MOST_REQUESTS:
        raise InputError(f"{len(listed)} requests in one batch, at most {MOST_REQUESTS}")
    requests = [_parse_request(one, place) for place, one in enumerate(listed)]
    if len({request.id for request in requests}) != len(requests):
        raise InputError("two requests of the batch have one id")
    return requests


def _parse_request(one: Any, place: int) -> BatchRequest:
    if not isinstance(one, dict):
        raise InputError(f"request {place} of the batch is no object")
    method, url = str(one.get("method", "")).upper(), one.get("url")
    if method not in METHODS:
        raise InputError(
            f"request {place} of the batch has method '{method[:20]}'", hint=f"one of {', '.join(METHODS)}"
        )
    if not isinstance(url, str) or not url:
        raise InputError(f"request {place} of the batch has no url")
    headers = one.get("headers") or {}
    depends = one.get("dependsOn") or []
    if not isinstance(headers, dict) or not isinstance(depends, list):
        raise InputError(f"request {place} of the batch has headers or dependsOn of the wrong kind")
    group = one.get("atomicityGroup")
    if group is not None and method == "GET":
        raise InputError(f"request {place} of the batch reads, and stands in group '{str(group)[:40]}'")
    return BatchRequest(
        str(one.get("id", place)), method, url, one.get("body"),
        {str(name).lower(): str(value) for name, value in headers.items()},
        None if group is None else str(group), [str(name) for name in depends],
    )  # fmt: skip


def write_json_batch(answers: Sequence[BatchAnswer]) -> dict[str, Any]:
    """Return the answers as a JSON batch."""
    return {"responses": [_write_answer(answer) for answer in answers]}


def _write_answer(answer: BatchAnswer) -> dict[str, Any]:
    written: dict[str, Any] = {"id": answer.id, "status": answer.status}
    if "location" in answer.headers:
        written["location"] = answer.headers["location"]
    written["headers"] = dict(answer.headers)
    if answer.body:
        text = "json" in answer.headers.get("content-type", "")
        written["body"] = orjson.Fragment(answer.body) if text else answer.body.decode(errors="replace")
    return written
