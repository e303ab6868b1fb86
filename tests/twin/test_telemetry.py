"""Payloads into the store: every format, every refusal with its code, and an account that always adds up."""

import base64
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.errors import MappingError, NotFoundError
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from twin.sensors.clocks import judge_clock
from twin.sensors.intake import Receipt, store_messages
from twin.sensors.mapping import ABSENT, find_value, read_mapping
from twin.sensors.message import CODES, Message
from twin.sensors.opening import read_topic
from twin.sensors.replay import replay_rejected
from twin.store_telemetry import list_ledger, list_rejected, upsert_device

NOW = datetime(2026, 11, 28, 6, 30, tzinfo=UTC)
SIX = "2026-11-28T06:00:00Z"
STAGE = "v1.1/Datastreams('S1.stage')/Observations"
STREAMS = [
    Datastream("S1.stage", "S1", "stage", "m", "Mực nước", "Stage"),
    Datastream("S1.rain", "S1", "rainfall", "mm", "Mưa", "Rain"),
    Datastream("S2.stage", "S2", "stage", "m", "Mực nước", "Stage"),
    Datastream("S2.state", "S2", "pump_state", "1", "Bơm", "Pump"),
]


@pytest.fixture
def store(connection: Connection) -> Connection:
    upsert_datastreams(connection, STREAMS, "test")
    for kind, stream in (("OM_TruthObservation", "S2.state"),):
        connection.execute(
            text("update sensing.datastream set observation_type = :kind where id = :id"),
            {"kind": f"http://www.opengis.net/def/observationType/OGC-OM/2.0/{kind}", "id": stream},
        )
    return connection


def send(store: Connection, topic: str, document: object, *, at: datetime = NOW, tolerance: float = 300.0) -> Receipt:
    payload = document if isinstance(document, bytes) else orjson.dumps(document)
    receipt = store_messages(store, [Message(topic, payload, at)], tolerance_s=tolerance)
    check_account(store)
    return receipt


def check_account(store: Connection) -> None:
    for row in list_ledger(store):
        assert row["received"] == row["stored"] + row["repeated"] + row["corrected"] + row["rejected"]
        assert sum(row["reasons"].values()) == row["rejected"]


def read_all(store: Connection) -> list[tuple[str, datetime, object]]:
    rows = store.execute(
        text(
            "select d.id, r.phenomenon_time, coalesce(to_jsonb(r.result), r.value) from sensing.reading r "
            "join sensing.datastream d on d.fid = r.datastream order by 1, 2"
        )
    )
    return [tuple(row) for row in rows]  # type: ignore[misc]


def test_sensorthings_alone_in_a_list_and_as_an_array(store: Connection) -> None:
    one = {"phenomenonTime": "2026-11-28T06:00:00Z", "result": 1.25}
    other = {"phenomenonTime": "2026-11-28T13:10:00+07:00", "result": 1.5, "Datastream": {"@iot.id": "S1.stage"}}
    array = {
        "Datastream": {"@iot.id": "S1.rain"}, "components": ["phenomenonTime", "result"],
        "dataArray": [["2026-11-28T06:00:00Z", 0.2], ["2026-11-28T06:10:00Z", 0.4]],
    }  # fmt: skip
    assert send(store, "v1.1/Datastreams('S1.stage')/Observations", one).stored == 1
    assert send(store, "v1.1/Observations", [other]).stored == 1
    assert send(store, "v1.1/CreateObservations", [array]).stored == 2
    assert send(store, "v1.1/Datastreams('S2.state')/Observations", {**one, "result": True}).stored == 1
    assert read_all(store) == [
        ("S1.rain", datetime(2026, 11, 28, 6, 0, tzinfo=UTC), 0.2),
        ("S1.rain", datetime(2026, 11, 28, 6, 10, tzinfo=UTC), 0.4),
        ("S1.stage", datetime(2026, 11, 28, 6, 0, tzinfo=UTC), 1.25),
        ("S1.stage", datetime(2026, 11, 28, 6, 10, tzinfo=UTC), 1.5),
        ("S2.state", datetime(2026, 11, 28, 6, 0, tzinfo=UTC), True),
    ]
    assert {row["device"]: row["stored"] for row in list_ledger(store)} == {"S1": 4, "S2": 1}


def test_a_topic_says_what_it_carries() -> None:
    assert read_topic("v1.1/Datastreams(7)/Observations").datastream == "7"
    assert read_topic("v1.1/Datastreams('it''s')/Observations").datastream == "it's"
    assert read_topic("application/a1/device/0102030405060708/event/up").device == "0102030405060708"
    assert read_topic("v3/app@tenant/devices/gauge-1/up") == ("tts", "gauge-1", None)
    assert read_topic("senml/G7") == ("senml", "G7", None)
    assert read_topic("json/G7/more").format is None


def test_senml_with_base_fields_of_the_rfc(store: Connection) -> None:
    # The shape of RFC 8428, 5.1.3: base name, time, unit and value carry over.
    seconds = NOW.timestamp() - 600
    pack = [
        {"bn": "S1.", "bt": seconds, "bu": "m", "bv": 1.0, "n": "stage", "v": 0.25},
        {"n": "stage", "t": 60, "v": 0.5},
        {"n": "rain", "u": "mm", "t": 120, "v": -0.6},
        {"bn": "S2.", "n": "state", "vb": True},
    ]
    assert send(store, "senml", pack).stored == 4
    at = NOW - timedelta(seconds=600)
    assert read_all(store) == [
        ("S1.rain", at + timedelta(seconds=120), 0.4),
        ("S1.stage", at, 1.25),
        ("S1.stage", at + timedelta(seconds=60), 1.5),
        ("S2.state", at, True),
    ]
    relative = [{"n": "S2.stage", "u": "cm", "t": -30, "v": 150}]
    assert send(store, "senml", relative).stored == 1
    assert read_all(store)[-2] == ("S2.stage", NOW - timedelta(seconds=30), 1.5)
    assert send(store, "senml", [{"n": "S2.stage", "u": "kg", "v": 1}]).reasons == {"wrong-unit": 1}
    assert send(store, "senml", [{"n": "S2.stage", "v": 1, "odd_": 2}]).reasons == {"unreadable": 1}


def chirpstack(eui: str, decoded: dict[str, object] | None, at: str = "2026-11-28T06:20:00.123456789+00:00") -> object:
    """An uplink event as ChirpStack v4's JSON marshaler writes it."""
    event = {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d", "time": at,
        "deviceInfo": {
            "tenantId": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242", "tenantName": "ChirpStack",
            "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97", "applicationName": "Can Tho",
            "deviceProfileName": "gauge", "deviceName": "gauge 1", "devEui": eui, "tags": {},
        },
        "devAddr": "00189440", "adr": True, "dr": 1, "fCnt": 4, "fPort": 1, "confirmed": False,
        "data": base64.b64encode(b"\x04\xe2").decode(),
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "uplinkId": 42, "rssi": -36, "snr": 10.5}],
        "txInfo": {"frequency": 923200000, "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 11}}},
    }  # fmt: skip
    return event if decoded is None else {**event, "object": decoded}


def things_stack(eui: str, decoded: dict[str, object] | None) -> object:
    """An uplink message of The Things Stack v3."""
    uplink: dict[str, object] = {
        "session_key_id": "AXA50", "f_port": 1, "f_cnt": 12, "frm_payload": "BOI=",
        "rx_metadata": [{"gateway_ids": {"gateway_id": "gtw1", "eui": "9C5C8E00001A05C4"}, "rssi": -35, "snr": 5}],
        "settings": {"frequency": "923200000"}, "received_at": "2026-11-28T06:21:00.123456789Z",
    }  # fmt: skip
    if decoded is not None:
        uplink["decoded_payload"] = decoded
    return {
        "end_device_ids": {"device_id": "dev1", "application_ids": {"application_id": "app1"}, "dev_eui": eui},
        "correlation_ids": ["as:up:01"], "received_at": "2026-11-28T06:21:00.2Z", "uplink_message": uplink,
    }  # fmt: skip


def test_lorawan_uplinks_are_read_by_the_devices_mapping(store: Connection) -> None:
    rules = {"readings": [
        {"datastream": "S1.stage", "path": "level.mm", "factor": 0.001, "offset": -0.5},
        {"datastream": "S2.state", "path": "pump"},
    ]}  # fmt: skip
    eui = "A84041FFFF1F8020"
    upsert_device(store, eui.lower(), "chirpstack", rules, thing_id="S1", author="Lan")
    topic = f"application/17c82e96/device/{eui.lower()}/event/up"
    assert send(store, topic, chirpstack(eui.lower(), {"level": {"mm": 1250}, "pump": 1})).stored == 2
    assert send(store, "v3/app1@t/devices/dev1/up", things_stack(eui, {"level": {"mm": "1300"}})).stored == 1
    assert read_all(store) == [
        ("S1.stage", datetime(2026, 11, 28, 6, 20, 0, 123456, tzinfo=UTC), 0.75),
        ("S1.stage", datetime(2026, 11, 28, 6, 21, 0, 123456, tzinfo=UTC), pytest.approx(0.8)),
        ("S2.state", datetime(2026, 11, 28, 6, 20, 0, 123456, tzinfo=UTC), True),
    ]
    assert {row["device"] for row in list_ledger(store)} == {eui.lower()}
    assert send(store, topic, chirpstack(eui, None)).reasons == {"not-decoded": 1}
    assert send(store, topic, chirpstack(eui, {"battery": 3.1})).reasons == {"no-reading": 1}
    assert send(store, topic, chirpstack(eui, {"level": {"mm": "deep"}})).reasons == {"wrong-type": 1}
    assert send(store, "tts", things_stack("FFFF", {"a": 1})).reasons == {"unknown-device": 1}
    joined = send(store, topic.replace("event/up", "event/join"), {})
    assert (joined.received, joined.refused) == (0, {})


def test_a_declared_mapping_reads_buffered_records_with_local_times(store: Connection) -> None:
    mapping = {
        "records": "$.data['log']",
        "time": {"path": "t", "format": "%d/%m/%Y %H:%M", "zone": "Asia/Ho_Chi_Minh"},
        "readings": [{"datastream": "S2.stage", "path": "h[0]", "factor": 0.01}],
    }
    upsert_device(store, "logger", "json", mapping, thing_id=None, author="Lan")
    log = [{"t": "28/11/2026 13:00", "h": [120]}, {"t": "28/11/2026 13:10", "h": [None]}, {"t": "soon", "h": [1]}]
    receipt = send(store, "json/logger", {"data": {"log": log}})
    assert (receipt.stored, receipt.reasons) == (2, {"bad-time": 1})
    assert read_all(store) == [
        ("S2.stage", datetime(2026, 11, 28, 6, 0, tzinfo=UTC), pytest.approx(1.2)),
        ("S2.stage", datetime(2026, 11, 28, 6, 10, tzinfo=UTC), None),
    ]
    milliseconds = {**mapping, "records": None, "time": {"path": "ms", "format": "unix_ms"}}
    upsert_device(store, "logger", "json", milliseconds, thing_id=None, author="Lan")
    assert send(store, "json/logger", {"ms": int(NOW.timestamp() * 1000), "h": [7]}).stored == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"readings": []}, "readings"),
        ({"readings": [{"datastream": "x", "path": "a["}]}, "is no path"),
        ({"readings": [{"datastream": "x", "path": "a"}], "time": {"path": "t", "zone": "Mars"}}, "no time zone"),
        ({"readings": [{"datastream": "x", "path": "a"}], "each": "b"}, "each"),
    ],
)
def test_a_wrong_mapping_is_named(wrong: object, said: str) -> None:
    with pytest.raises(MappingError, match=said):
        read_mapping(wrong)


def test_a_device_maps_to_datastreams_there_are(store: Connection) -> None:
    with pytest.raises(NotFoundError, match="'S9'"):
        rules = {"readings": [{"datastream": "S9", "path": "a"}]}
        upsert_device(store, "x", "json", rules, thing_id=None, author="Lan")


def test_paths_name_one_place() -> None:
    document = {"a": [{"b.c": 1}, {"d": 2}], "e": None}
    assert find_value(document, "$.a[0]['b.c']") == 1
    assert find_value(document, "a[-1].d") == 2
    assert find_value(document, "e") is None
    assert find_value(document, "a[2].d") is ABSENT


@pytest.mark.parametrize(
    ("topic", "document", "code"),
    [
        ("weather", {"t": 1}, "bad-topic"),
        (STAGE, b"{", "unreadable"),
        (STAGE, {"phenomenonTime": SIX}, "unreadable"),
        (STAGE, {"phenomenonTime": "2026-11-28T06:00:00", "result": 1}, "unreadable"),
        ("v1.1/Datastreams('S9')/Observations", {"phenomenonTime": SIX, "result": 1}, "unknown-datastream"),
        (STAGE, {"phenomenonTime": SIX, "result": "high"}, "wrong-type"),
        (STAGE, {"phenomenonTime": SIX, "result": False}, "wrong-type"),
        ("v1.1/Datastreams('S2.state')/Observations", {"phenomenonTime": SIX, "result": 1}, "wrong-type"),
        (STAGE, {"phenomenonTime": "2026-11-28T06:36:00Z", "result": 1}, "future"),
        (STAGE, {"phenomenonTime": "1980-01-06T00:00:00Z", "result": 1}, "too-old"),
        ("v1.1/Observations", {"phenomenonTime": SIX, "result": 1}, "unreadable"),
        (STAGE,
         {"phenomenonTime": SIX, "result": 1, "FeatureOfInterest": {"@iot.id": 9}}, "unknown-feature"),
        ("senml", {"n": "S1.stage"}, "unreadable"),
        ("json/nobody", {"a": 1}, "unknown-device"),
        ("chirpstack", {"a": 1}, "unreadable"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_kept_with_its_reason(
    store: Connection, topic: str, document: object, code: str
) -> None:
    receipt = send(store, topic, document)
    assert (receipt.received, receipt.rejected, receipt.reasons) == (1, 1, {code: 1})
    assert read_all(store) == []
    send(store, topic, document)
    (kept,) = list_rejected(store)
    assert (kept.code, kept.times, kept.readings, kept.topic) == (code, 2, 1, topic)
    assert kept.payload == (document if isinstance(document, bytes) else orjson.dumps(document))
    assert code in CODES
    assert [row["rejected"] for row in list_ledger(store)] == [2]


def test_readings_beside_a_refused_one_are_stored(store: Connection) -> None:
    array = {
        "Datastream": {"@iot.id": "S1.stage"}, "components": ["phenomenonTime", "result"],
        "dataArray": [["2026-11-28T06:00:00Z", 1], ["2026-11-28T07:00:00Z", 1], ["2026-11-28T06:10:00Z"], [None, 1, 2]],
    }  # fmt: skip
    receipt = send(store, "v1.1/CreateObservations", [array])
    assert (receipt.stored, receipt.reasons) == (1, {"future": 1, "unreadable": 2})
    assert sorted((one.code, one.readings) for one in list_rejected(store)) == [("future", 1), ("unreadable", 2)]


def test_sent_again_sent_otherwise_and_both_in_one_message(store: Connection) -> None:
    topic, time = "v1.1/Datastreams('S1.stage')/Observations", "2026-11-28T06:00:00Z"
    first, other = {"phenomenonTime": time, "result": 1.0}, {"phenomenonTime": time, "result": 2.0}
    assert send(store, topic, [first, first]).as_dict() == {
        "received": 2, "stored": 1, "repeated": 1, "corrected": 0, "rejected": 0, "reasons": {},
    }  # fmt: skip
    late = {"phenomenonTime": "2026-11-01T00:00:00Z", "result": 0.5}
    mixed = send(store, topic, [first, late, other])
    assert (mixed.stored, mixed.repeated, mixed.corrected) == (1, 1, 1)
    raw = store.execute(text("select result from sensing.observation order by phenomenon_time")).scalars().all()
    assert raw == [0.5, 1.0]
    assert [value for _, _, value in read_all(store)] == [0.5, 2.0]


def test_a_clock_that_is_always_ahead_is_named(store: Connection) -> None:
    topic = "v1.1/Datastreams('S1.stage')/Observations"
    for minute in range(3):
        arrived = NOW + timedelta(minutes=minute)
        wrong = (arrived + timedelta(minutes=40)).isoformat()
        send(store, topic, {"phenomenonTime": wrong, "result": minute}, at=arrived)
        send(store, topic.replace("S1", "S2"), {"phenomenonTime": arrived.isoformat(), "result": minute}, at=arrived)
    told = {row["device"]: judge_clock(row["lag_least"], row["lag_most"]) for row in list_ledger(store)}
    assert told == {"S1": "ahead by 2400 s", "S2": None}
    assert judge_clock(7200.0, 7300.0) == "behind or late by 7200 s"
    # Mended: the same messages with their times put right.
    outcomes = replay_rejected(store, list_rejected(store), tolerance_s=300, author="Lan", shift=timedelta(minutes=-40))
    assert all(one.settled for one in outcomes)
    check_account(store)
    assert [row["reasons"] for row in list_ledger(store)] == [{}, {}]
    times = [time for stream, time, _ in read_all(store) if stream == "S1.stage"]
    assert times == [NOW + timedelta(minutes=minute) for minute in range(3)]


def test_refused_messages_are_taken_in_after_mending(store: Connection) -> None:
    topic = "json/G9"
    send(store, topic, {"h": 150})
    send(store, topic, {"h": 150})
    send(store, "json/G8", {"h": 150})
    rules = {"readings": [{"datastream": "S2.stage", "path": "h", "factor": 0.01}]}
    upsert_device(store, "G9", "json", rules, thing_id=None, author="Lan")
    outcomes = replay_rejected(store, list_rejected(store), tolerance_s=300, author="Lan")
    assert [(one.settled, one.stored) for one in outcomes] == [(True, 1), (False, 0)]
    assert "G8" in outcomes[1].reasons[0]
    check_account(store)
    assert read_all(store) == [("S2.stage", NOW, 1.5)]
    ledger = {row["device"]: (row["received"], row["stored"], row["rejected"]) for row in list_ledger(store)}
    assert ledger == {"G9": (2, 1, 1), "G8": (1, 0, 1)}
    assert [row.device for row in list_rejected(store)] == ["G8"]


values = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), st.text(max_size=3))
moments = st.sampled_from([SIX, "2026-11-28T06:01:00Z", "2026-11-28T13:02:00+07:00", "x", "2027-01-01T00:00:00Z"])
links = st.sampled_from([{"@iot.id": "S1.stage"}, {"@iot.id": "S2.state"}, {"@iot.id": 7}, 3])
observations = st.fixed_dictionaries({"phenomenonTime": moments}, optional={"result": values, "Datastream": links})
documents = st.one_of(observations, st.lists(observations, max_size=5), st.binary(max_size=8), values)
topics = st.sampled_from(
    ["v1.1/Observations", "v1.1/Datastreams('S1.stage')/Observations", "senml", "json/x", "chirpstack", "tts", "x"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(topics, documents), max_size=12), st.integers(1, 5))
def test_whatever_arrives_is_accounted_for(store: Connection, sent: list[tuple[str, object]], size: int) -> None:
    with store.begin_nested() as trial:
        messages = [
            Message(topic, body if isinstance(body, bytes) else orjson.dumps(body), NOW) for topic, body in sent
        ]
        total = 0
        for start in range(0, len(messages), size):
            receipt = store_messages(store, messages[start : start + size], tolerance_s=300)
            total += receipt.received
        check_account(store)
        stored = store.execute(text("select count(*) from sensing.observation")).scalar_one()
        corrections = store.execute(text("select count(*) from sensing.correction")).scalar_one()
        ledger = list_ledger(store)
        assert sum(row["received"] for row in ledger) == total
        assert sum(row["stored"] for row in ledger) == stored
        assert sum(row["corrected"] for row in ledger) == corrections
        refused = sum(row.readings * row.times for row in list_rejected(store))
        assert sum(row["rejected"] for row in ledger) == refused
        trial.rollback()
