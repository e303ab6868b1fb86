"""Readings as CSV: stored by COPY, all or nothing; and the limits of bodies."""

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.conftest import ADDRESS
from tests.api.sta_documents import count, make_series
from twin.settings import Settings

CSV = {"content-type": "text/csv"}


def send(sta: TestClient, body: str, status: int = 201) -> dict[str, int]:
    answer = sta.post(f"{ADDRESS}/sensors/observations", content=body.encode(), headers=CSV)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def test_a_file_is_stored_once(sta: TestClient, beside: Connection) -> None:
    """Sent again it changes nothing; of two rows of one time the later counts; another value is a correction."""
    _, stream = make_series(sta)
    lines = [
        f"{stream},2026-11-{1 + k // 1440:02d}T{k // 60 % 24:02d}:{k % 60:02d}:00Z,{k * 0.25}" for k in range(3000)
    ]
    body = "datastream_id,phenomenon_time,result\n" + "\n".join(lines)
    assert send(sta, body) == {"new": 3000, "changed": 0, "unchanged": 0, "repeated": 0}
    assert send(sta, body) == {"new": 0, "changed": 0, "unchanged": 3000, "repeated": 0}
    more = f"\ufeffresult,quality,datastream_id,phenomenon_time\n7,3,{stream},2026-11-01 00:00\n,,{stream},2027-01-01\n"
    assert send(sta, f"{more}8,4,{stream},2026-11-01 00:00") == {"new": 1, "changed": 1, "unchanged": 0, "repeated": 1}
    rows = beside.execute(
        text(
            "select r.result, r.quality from sensing.reading r join sensing.datastream d on d.fid = r.datastream "
            "where d.id = :id and phenomenon_time in ('2026-11-01', '2027-01-01') order by phenomenon_time"
        ),
        {"id": stream},
    )
    assert [tuple(row) for row in rows] == [(8.0, 4), (None, 9)]


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("{id},2026-11-01T00:00:00Z,high", 400, "line 2, column result"),
        ("{id},yesterdayish,1", 400, "line 2, column phenomenon_time"),
        ("{id},infinity,1", 400, "infinity"),
        ("{id},,1", 400, "missing"),
        (",2026-11-01T00:00:00Z,1", 400, "no datastream_id"),
        ("{id},2026-11-01T00:00:00Z", 400, "line 2"),
        ("nobody,2026-11-01T00:00:00Z,1", 404, "nobody"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_stored(
    sta: TestClient, beside: Connection, line: str, status: int, said: str
) -> None:
    _, stream = make_series(sta)
    body = f"datastream_id,phenomenon_time,result\n{stream},2026-11-01T00:00:00Z,1\n{line.format(id=stream)}\n"
    assert said in str(send(sta, body, status)["detail"])
    assert (
        count(beside, "observation o join sensing.datastream d on d.fid = o.datastream", "d.id = :id", id=stream) == 0
    )


def test_headers_that_name_no_columns(sta: TestClient) -> None:
    for head in ("", "a,b,c", "datastream_id,phenomenon_time", "datastream_id,phenomenon_time,result,result", "\0"):
        assert "first line" in str(send(sta, head, 400)["detail"])
    assert sta.post(f"{ADDRESS}/sensors/observations", content=b"x").status_code == 400


def test_bodies_have_limits(sta_settings: Settings) -> None:
    """SensorThings takes more than other addresses, and no more than the setting; so does CSV."""
    small = sta_settings.model_copy(update={"sensing_body_mb": 2, "observation_csv_mb": 1})
    with TestClient(create_app(small), ADDRESS, client=("127.0.0.1", 50_000)) as client:
        big = b" " * 1_500_000
        kind = {"content-type": "application/json"}
        assert client.post("/sta/v1.1/Things", content=big + b"{}", headers=kind).status_code == 400
        assert client.post("/sta/v1.1/Things", content=big * 2, headers=kind).status_code == 413
        assert client.post("/api/search", content=big, headers=kind).status_code == 413
        assert client.post("/sensors/observations", content=big, headers=CSV).status_code == 413
