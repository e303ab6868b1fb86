"""Whatever is sent is stored or refused, never a mistake of the server; ids and patches keep their laws."""

import contextlib
import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from starlette.testclient import TestClient

from api.sta.json_patch import apply_patch
from layers.errors import TwinError
from layers.store.sensing.entities import ENTITIES
from layers.store.sensing.observing import make_id, parse_id
from tests.api.sta_documents import AT, count, make_datastream, make_location, make_series, make_thing

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted(
    {one.name for entity in ENTITIES.values() for one in entity.attributes}
    | {link.name for entity in ENTITIES.values() for link in entity.navigations}
    | {"@iot.id", "components", "dataArray"}
)
DOCUMENTS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6)
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2199, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))


@FEW
@given(name=st.sampled_from([*ENTITIES, "CreateObservations", "$batch"]), sent=DOCUMENTS | JSON)
def test_no_document_breaks_the_server(sta: TestClient, name: str, sent: Any) -> None:
    assert sta.post(name, json=sent).status_code < 500


@FEW
@given(name=st.sampled_from(["Things", "Locations", "Datastreams"]), change=DOCUMENTS, at=st.integers(0, 3))
def test_no_change_breaks_the_server(sta: TestClient, name: str, change: Any, at: int) -> None:
    whole = {"Things": make_thing(), "Locations": make_location(), "Datastreams": make_datastream(Thing=make_thing())}
    made = sta.post(name, json={**whole[name], **{key: value for key, value in change.items() if at % 2}})
    assert made.status_code < 500
    if made.status_code == 201:
        address = made.headers["location"]
        method = "PATCH" if at < 2 else "PUT"
        assert sta.request(method, address, json=change).status_code < 500
        assert sta.delete(address).status_code in (200, 404)


@pytest.mark.parametrize(
    "key",
    [
        "x' or '1'='1",
        "'; drop table sensing.thing; --",
        "a/b",
        "ê",
        "a''b",
        "()",
        "$x",
        "\\",
        '"',
        "1_1",
        "a b?c#d",
    ],
)
def test_ids_of_any_letters_lead_back(sta: TestClient, key: str) -> None:
    made = sta.post("Things", json=make_thing(**{"@iot.id": key}))
    assert made.status_code == 201
    address = made.headers["location"]
    assert sta.patch(address, json={"description": "Mới"}).json()["@iot.id"] == key
    assert sta.get(address).json()["description"] == "Mới"
    assert sta.delete(address).status_code == 200
    assert sta.get("Things").status_code == 200


@given(fid=st.integers(1, 10**17), at=MOMENTS)
def test_an_id_holds_series_and_time(fid: int, at: datetime) -> None:
    assert parse_id(make_id(fid, at)) == (fid, at)


@given(document=st.dictionaries(st.text(max_size=3), JSON, max_size=4), operations=JSON)
def test_a_patch_is_applied_or_refused_and_never_changes_what_it_was_given(document: Any, operations: Any) -> None:
    before = copy.deepcopy(document)
    with contextlib.suppress(TwinError):
        apply_patch(document, operations)
    assert document == before


@given(document=st.dictionaries(st.text(min_size=1, max_size=3), JSON, min_size=1, max_size=4), value=JSON)
def test_adding_and_removing_is_nothing(document: dict[str, Any], value: Any) -> None:
    key = "new name"
    added = apply_patch(document, [{"op": "add", "path": f"/{key}", "value": value}])
    assert added == {**document, key: value}
    assert apply_patch(added, [{"op": "remove", "path": f"/{key}"}]) == document


def test_readings_sent_at_once_are_each_answered_and_stored_once(sta: TestClient, beside: Connection) -> None:
    """Requests that share a transaction do not share their errors."""
    _, stream = make_series(sta)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    requests = [
        {"id": str(k), "method": "post", "url": f"Datastreams('{stream}')/Observations",
         "body": {"phenomenonTime": (start + timedelta(seconds=k % 50)).isoformat(), "result": k % 50}}
        for k in range(200)
    ]  # fmt: skip
    requests.append({"id": "x", "method": "post", "url": "Observations",
                     "body": {"phenomenonTime": AT, "result": 1, "Datastream": {"@iot.id": "none"}}})  # fmt: skip
    told = sta.post("$batch", json={"requests": requests}).json()["responses"]
    assert [one["status"] for one in told] == [201] * 200 + [404]
    assert (
        count(beside, "observation o join sensing.datastream d on d.fid = o.datastream", "d.id = :id", id=stream) == 50
    )
