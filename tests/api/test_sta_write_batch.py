"""Batches over SensorThings: JSON and multipart/mixed; groups and change sets are all or none."""

import email.policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from typing import Any

import pytest
from sqlalchemy import Connection
from starlette.testclient import TestClient

from tests.api.sta_documents import AT, count, make_datastream, make_location, make_series, make_thing

EACH = {"prefer": "odata.continue-on-error"}


def send(sta: TestClient, requests: list[dict[str, Any]], headers: dict[str, str] | None = None) -> list[Any]:
    answer = sta.post("$batch", json={"requests": requests}, headers=headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["responses"])


@pytest.mark.conformance("iot_sensing/1.1/req/batch-request/batch-request")
def test_batch_request_in_order(sta: TestClient, beside: Connection) -> None:
    """req/batch-request/batch-request, JSON: create, refer to what was created, change, read, delete."""
    told = send(
        sta,
        [
            {"id": "t", "method": "post", "url": "Things", "body": make_thing(name="Lô 'một'")},
            {"id": "d", "method": "post", "url": "$t/Datastreams", "body": make_datastream()},
            {"id": "o", "method": "post", "url": "Observations",
             "body": {"phenomenonTime": AT, "result": 3, "Datastream": {"@iot.id": "$d"}}},
            {"id": "l", "method": "post", "url": "Locations", "body": make_location(Things=[{"@iot.id": "$t"}])},
            {"id": "p", "method": "patch", "url": "$t", "body": {"description": "Mới"}},
            {"id": "g", "method": "get", "url": "$t?$select=description&$expand=Datastreams/Observations"},
            {"id": "x", "method": "delete", "url": "$l"},
        ],
    )  # fmt: skip
    assert told[5]["status"] == 200, told[5]
    assert [(one["id"], one["status"]) for one in told] == [
        ("t", 201), ("d", 201), ("o", 201), ("l", 201), ("p", 200), ("g", 200), ("x", 200)
    ]  # fmt: skip
    assert told[0]["location"] == told[0]["body"]["@iot.selfLink"]
    read = told[5]["body"]
    assert read["description"] == "Mới"
    assert read["Datastreams"][0]["Observations"][0]["result"] == 3
    assert told[2]["location"].endswith(f"('{read['Datastreams'][0]['Observations'][0]['@iot.id']}')")
    assert count(beside, "location", "id = :id", id=told[3]["body"]["@iot.id"]) == 0


def test_an_error_ends_a_batch_unless_it_is_to_go_on(sta: TestClient) -> None:
    """OData 11.7.4: the first error is the last answer, unless continue-on-error is preferred."""
    requests: list[dict[str, Any]] = [
        {"id": "1", "method": "post", "url": "Things", "body": {"name": "x"}},
        {"id": "2", "method": "post", "url": "Things", "body": make_thing()},
        {"id": "3", "method": "get", "url": "Things('none')"},
        {"id": "4", "method": "patch", "url": "$1", "body": {"name": "y"}},
        {"id": "5", "method": "delete", "url": "Things"},
        {"id": "6", "method": "post", "url": "http://elsewhere/Things", "body": make_thing()},
        {"id": "7", "method": "post", "url": "Things", "body": make_thing(), "dependsOn": ["1"]},
    ]
    assert [one["status"] for one in send(sta, requests)] == [400]
    assert [one["status"] for one in send(sta, requests, EACH)] == [400, 201, 404, 400, 405, 400, 424]


@pytest.mark.conformance("iot_sensing/1.1/req/batch-request/batch-request")
def test_a_group_is_all_or_none(sta: TestClient, beside: Connection) -> None:
    """JSON batch: atomicityGroup."""
    before = count(beside, "thing")
    good = [
        {"id": "a", "atomicityGroup": "g", "method": "post", "url": "Things", "body": make_thing()},
        {"id": "b", "atomicityGroup": "g", "method": "post", "url": "$a/Datastreams", "body": make_datastream()},
    ]
    bad = {"id": "c", "atomicityGroup": "g", "method": "post", "url": "Datastreams", "body": {"name": "x"}}
    told = send(sta, [*good, bad, {"id": "d", "method": "get", "url": "Things"}], EACH)
    assert [one["status"] for one in told] == [424, 424, 400, 200]
    assert "lacks" in told[2]["body"]["detail"]
    assert count(beside, "thing") == before
    assert [one["status"] for one in send(sta, good)] == [201, 201]
    assert count(beside, "thing") == before + 1


@pytest.mark.parametrize(
    "document",
    [
        [], {"requests": 3}, {"requests": [3]}, {"requests": [{"id": "1", "method": "HEAD", "url": "Things"}]},
        {"requests": [{"id": "1", "method": "get"}]},
        {"requests": [{"id": "1", "method": "get", "url": "Things"}] * 2},
        {"requests": [{"id": "1", "method": "get", "url": "Things", "headers": 3}]},
        {"requests": [{"id": "1", "method": "get", "url": "Things", "atomicityGroup": "g"}]},
    ],
)  # fmt: skip
def test_batches_that_cannot_be_read(sta: TestClient, document: Any) -> None:
    assert sta.post("$batch", json=document).status_code == 400
    assert sta.post("$batch", content=b"x", headers={"content-type": "text/plain"}).status_code == 400
    assert sta.post("$batch", content=b"x", headers={"content-type": "multipart/mixed"}).status_code == 400


def read_parts(content_type: str, body: bytes) -> list[Any]:
    """Return the answers of a multipart batch as (status, body), those of a change set as a list."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    whole = BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + body)
    told: list[Any] = []
    for part in whole.iter_parts():
        if part.get_content_type() == "multipart/mixed":
            told.append([read_part(one) for one in part.iter_parts()])
        else:
            told.append(read_part(part))
    return told


def read_part(part: MIMEPart) -> int:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return int(content.split()[1])


@pytest.mark.conformance("iot_sensing/1.1/req/batch-request/batch-request")
def test_batch_request_as_multipart(sta: TestClient, beside: Connection) -> None:
    """req/batch-request/batch-request, multipart/mixed: requests, and a change set that speaks of itself."""
    _, stream = make_series(sta)
    before = count(beside, "thing")
    lines = [
        "--b", "Content-Type: application/http", "", "GET Things?$top=1 HTTP/1.1", "Host: x", "", "",
        "--b", "Content-Type: multipart/mixed;boundary=c", "",
        "--c", "Content-Type: application/http", "Content-Transfer-Encoding: binary", "Content-ID: 1", "",
        "POST /sta/v1.1/Things HTTP/1.1", "Content-Type: application/json", "",
        '{"name": "Trạm", "description": "x"}',
        "--c", "Content-Type: application/http", "Content-ID: 2", "",
        "PATCH $1 HTTP/1.1", "Content-Type: application/json", "", '{"name": "y"}', "--c--",
        "--b", "Content-Type: application/http", "", f"POST Datastreams('{stream}')/Observations HTTP/1.1",
        "Content-Type: application/json", "", '{"result": 1}',
        "--b", "Content-Type: multipart/mixed;boundary=d", "",
        "--d", "Content-Type: application/http", "Content-ID: 3", "", "POST Things HTTP/1.1",
        "Content-Type: application/json", "", '{"name": "z", "description": "z"}',
        "--d", "Content-Type: application/http", "Content-ID: 4", "", "DELETE Things('none') HTTP/1.1", "", "", "--d--",
        "--b", "Content-Type: application/http", "", "POST Things HTTP/1.1", "", '{"name": ', "--b--", "",
    ]  # fmt: skip
    kind = {"content-type": "multipart/mixed;boundary=b", **EACH}
    answer = sta.post("$batch", content="\r\n".join(lines).encode(), headers=kind)
    assert answer.status_code == 200, answer.text
    assert read_parts(answer.headers["content-type"], answer.content) == [200, [201, 200], 201, 404, 400]
    assert count(beside, "thing") == before + 1
    assert count(beside, "thing", "name = 'y'") == 1


def test_parts_that_hold_no_request(sta: TestClient) -> None:
    for part in ("Content-Type: text/plain\r\n\r\nx", "Content-Type: application/http\r\n\r\nFETCH it", ""):
        body = f"--b\r\n{part}\r\n--b--\r\n".encode()
        answer = sta.post("$batch", content=body, headers={"content-type": "multipart/mixed;boundary=b"})
        assert answer.status_code == 400
