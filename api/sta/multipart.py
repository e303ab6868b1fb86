"""Batches as multipart/mixed (OData 4.0, 11.7): a part a request, a change set a multipart of its own."""

import email.policy
from collections.abc import Sequence
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from http import HTTPStatus
from uuid import uuid4

from api.sta.batch import METHODS, MOST_REQUESTS, ROLLED_BACK, BatchAnswer, BatchRequest
from api.sta.writing import parse_body
from layers.errors import InputError

_PARSER = BytesParser(EmailMessage, policy=email.policy.HTTP)


def parse_multipart(content_type: str, body: bytes) -> list[BatchRequest]:
    """Return the requests of a multipart batch; those of a change set share its group.

    InputError for what is no multipart, or a part that holds no request.
    """
    whole = _PARSER.parsebytes(b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n" + body)
    if not whole.is_multipart():
        raise InputError("the body is not multipart", hint="content-type: multipart/mixed;boundary=…")
    requests: list[BatchRequest] = []
    for part in whole.iter_parts():
        if part.get_content_type() == "multipart/mixed":
            group = f"changeset-{len(requests)}"
            requests += [_read_part(one, len(requests) + place, group) for place, one in enumerate(part.iter_parts())]
        else:
            requests.append(_read_part(part, len(requests), None))
    if len(requests) > MOST_REQUESTS:
        raise InputError(f"{len(requests)} requests in one batch, at most {MOST_REQUESTS}")
    if len({request.id for request in requests}) != len(requests):
        raise InputError("two requests of the batch have one Content-ID")
    return requests


def _read_part(part: MIMEPart, place: int, group: str | None) -> BatchRequest:
    if part.get_content_type() != "application/http":
        raise InputError(f"part {place} of the batch is '{part.get_content_type()}'", hint="expected application/http")
    content = part.get_payload(decode=True)
    line, _, rest = (content if isinstance(content, bytes) else b"").lstrip().partition(b"\n")
    words = line.decode("utf-8", "replace").split()
    if len(words) not in (2, 3) or words[0].upper() not in METHODS:
        raise InputError(f"part {place} of the batch begins with '{line[:80].decode('utf-8', 'replace')}'")
    if group is not None and words[0].upper() == "GET":
        raise InputError(f"part {place} of the batch reads, and stands in a change set")
    inner = _PARSER.parsebytes(rest)
    sent = inner.get_payload(decode=True)
    body = sent.strip() if isinstance(sent, bytes) else b""
    headers = {name.lower(): str(value) for name, value in inner.items()}
    parsed, wrong = None, None
    try:
        parsed = parse_body(body) if body else None
    except InputError as error:
        wrong = error.message
    name = str(part.get("Content-ID", f"part-{place}")).strip("<> ")
    return BatchRequest(name, words[0].upper(), words[1], parsed, headers, group, wrong=wrong)


def write_multipart(requests: Sequence[BatchRequest], answers: Sequence[BatchAnswer]) -> tuple[str, bytes]:
    """Return content type and body of the answers; those of a change set in a multipart of their own."""
    groups = {request.id: request.group for request in requests}
    boundary = f"batch_{uuid4().hex}"
    parts: list[bytes] = []
    place = 0
    while place < len(answers):
        group = groups[answers[place].id]
        end = place + 1
        while group is not None and end < len(answers) and groups[answers[end].id] == group:
            end += 1
        failed = [answer for answer in answers[place:end] if answer.status >= 400]
        if group is None:
            parts.append(_write_part(answers[place]))
        elif failed:
            # Of a change set that failed only the reason is told.
            parts.append(_write_part(min(failed, key=lambda answer: answer.status == ROLLED_BACK)))
        else:
            inner = f"changeset_{uuid4().hex}"
            body = _join(inner, [_write_part(answer) for answer in answers[place:end]])
            parts.append(f"Content-Type: multipart/mixed; boundary={inner}\r\n\r\n".encode() + body)
        place = end
    return f"multipart/mixed; boundary={boundary}", _join(boundary, parts)


def _write_part(answer: BatchAnswer) -> bytes:
    lines = ["Content-Type: application/http", f"Content-ID: {answer.id}", ""]
    lines.append(f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}")
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + answer.body


def _join(boundary: str, parts: Sequence[bytes]) -> bytes:
    return b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts) + b"--%b--\r\n" % boundary.encode()
