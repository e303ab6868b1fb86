"""From topic and payload to readings: which format a topic has, and what each format holds. Nothing is asked."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from layers.errors import InputError, TwinError
from layers.store.sensing.documents import read_id, read_moment
from layers.store.sensing.observing import read_data_array, read_observation
from twin.sensors.message import Format, Message, Opened, Reading, Refusal, Uplink
from twin.sensors.senml import read_pack

LONGEST_DEVICE = 100
_LORA_EVENTS = "join|ack|txack|status|log|location|integration"
_TOPICS: tuple[tuple[Format, re.Pattern[str]], ...] = (
    ("sensorthings", re.compile(r"v1\.[01]/Datastreams\((?:'(?P<quoted>.+)'|(?P<stream>[^'()]+))\)/Observations")),
    ("sensorthings", re.compile(r"v1\.[01]/(?:Create)?Observations")),
    ("chirpstack", re.compile(r"chirpstack|application/[^/]+/device/(?P<device>[^/]+)/event/up")),
    ("tts", re.compile(r"tts|v3/[^/]+/devices/(?P<device>[^/]+)/up")),
    ("senml", re.compile(r"senml(?:/(?P<device>[^/]+))?")),
    ("json", re.compile(r"json/(?P<device>[^/]+)")),
)
_PASSED_OVER = re.compile(
    rf"application/[^/]+/device/[^/]+/(?:event/(?:{_LORA_EVENTS})|command/.+|state/.+)|v3/[^/]+/devices/[^/]+/.+"
)


class Address(NamedTuple):
    """What a topic says: the format, the device and the datastream it names, if it does."""

    format: Format | None
    device: str | None = None
    datastream: str | None = None


def read_topic(topic: str) -> Address:
    """Return what ``topic`` says; a format of None where no format has such a topic."""
    for name, pattern in _TOPICS:
        found = pattern.fullmatch(topic)
        if found is None:
            continue
        parts = found.groupdict()
        quoted = parts.get("quoted")
        stream = quoted.replace("''", "'") if quoted else parts.get("stream")
        return Address(name, parts.get("device"), stream)
    return Address(None)


def open_message(message: Message) -> Opened:
    """Return what a message holds; what cannot be read is in its refusals, with a code."""
    address = read_topic(message.topic)
    device = _name_device(address.device)
    if address.format is None:
        if _PASSED_OVER.fullmatch(message.topic):
            return Opened(device, [], [], ignored=True)
        return Opened(device, [], [Refusal("bad-topic", f"topic '{message.topic[:200]}' is not known")])
    try:
        document = orjson.loads(message.payload)
    except orjson.JSONDecodeError as error:
        about = address.datastream if device is None else device
        return Opened(about, [], [Refusal("unreadable", f"the payload is not JSON: {error}")])
    try:
        return _READERS[address.format](document, address._replace(device=device), message.received)
    except TwinError as error:
        return Opened(device or address.datastream, [], [Refusal("unreadable", str(error))])


def _name_device(name: str | None) -> str | None:
    """Return a device's name as the ledger keeps it: EUIs are the same in any case."""
    if name is None:
        return None
    return name.lower() if re.fullmatch(r"[0-9A-Fa-f]{16}", name) else name[:LONGEST_DEVICE]


def _read_sensorthings(document: Any, address: Address, received: datetime) -> Opened:
    opened = Opened(None, [], [])
    for one in document if isinstance(document, list) else (document,):
        if isinstance(one, dict) and "dataArray" in one:
            _read_array(one, address.datastream, received, opened)
            continue
        try:
            opened.readings.append(Reading(_read_one(one, address.datastream, received)))
        except InputError as error:
            opened.refusals.append(Refusal("unreadable", str(error), device=address.datastream))
    if not opened.readings and not opened.refusals:
        opened.refusals.append(Refusal("no-reading", "the list is empty", device=address.datastream))
    return opened


def _read_one(sent: Any, datastream: str | None, received: datetime) -> dict[str, Any]:
    if datastream is None:
        stream = sent.get("Datastream") if isinstance(sent, dict) else None
        if not isinstance(stream, dict) or stream.get("@iot.id") is None:
            raise InputError("the Observation names no Datastream", hint='{"Datastream": {"@iot.id": "S-1.stage"}, …}')
        datastream = read_id(stream["@iot.id"])
    row = read_observation(sent, datastream, received)
    feature = sent.get("FeatureOfInterest")
    if feature is not None:
        if not isinstance(feature, dict) or feature.get("@iot.id") is None:
            raise InputError("a FeatureOfInterest is named by its @iot.id here", hint="create it over HTTP")
        row["feature_of_interest_id"] = read_id(feature["@iot.id"])
    return row


def _read_array(entry: dict[str, Any], datastream: str | None, received: datetime, opened: Opened) -> None:
    if datastream is not None and "Datastream" not in entry:
        entry = {**entry, "Datastream": {"@iot.id": datastream}}
    try:
        for row in read_data_array(entry, received):
            if isinstance(row, TwinError):
                opened.refusals.append(Refusal("unreadable", str(row), device=datastream))
            else:
                opened.readings.append(Reading(row))
    except InputError as error:
        opened.refusals.append(Refusal("unreadable", str(error), device=datastream))


def _read_senml(document: Any, address: Address, received: datetime) -> Opened:
    records = read_pack(document, received)
    readings = [
        Reading({"datastream_id": one.name, "phenomenon_time": one.time, **one.result}, one.unit) for one in records
    ]
    return Opened(address.device, readings, [])


def _read_chirpstack(document: Any, address: Address, received: datetime) -> Opened:
    """Read an uplink event of ChirpStack v4 (JSON marshaler): what its codec decoded is in ``object``."""
    about = document.get("deviceInfo") if isinstance(document, dict) else None
    if not isinstance(about, dict) or not isinstance(about.get("devEui"), str):
        raise InputError("the event has no deviceInfo.devEui", hint="it is no uplink of ChirpStack v4")
    device = _name_device(about["devEui"])
    decoded = document.get("object")
    if not isinstance(decoded, dict):
        return Opened(device, [], [_ask_for_decoder("object", document.get("fPort"))])
    return Opened(device, [], [], Uplink(decoded, _read_sent(document.get("time"), received)))


def _read_tts(document: Any, address: Address, received: datetime) -> Opened:
    """Read an uplink of The Things Stack v3: what its formatter decoded is in ``decoded_payload``."""
    ids = document.get("end_device_ids") if isinstance(document, dict) else None
    if not isinstance(ids, dict):
        raise InputError("the message has no end_device_ids", hint="it is no message of The Things Stack v3")
    name = ids.get("dev_eui") or ids.get("device_id")
    if not isinstance(name, str):
        raise InputError("the message names neither dev_eui nor device_id")
    device = _name_device(name)
    uplink = document.get("uplink_message")
    if not isinstance(uplink, dict):
        return Opened(device, [], [], ignored=True)
    decoded = uplink.get("decoded_payload")
    if not isinstance(decoded, dict):
        return Opened(device, [], [_ask_for_decoder("decoded_payload", uplink.get("f_port"))])
    sent = uplink.get("received_at") or document.get("received_at")
    return Opened(device, [], [], Uplink(decoded, _read_sent(sent, received)))


def _read_json(document: Any, address: Address, received: datetime) -> Opened:
    return Opened(address.device, [], [], Uplink(document, received))


def _ask_for_decoder(member: str, port: Any) -> Refusal:
    return Refusal(
        "not-decoded", f"port {port} has no '{member}' — give the device a payload decoder in its network server"
    )


def _read_sent(written: Any, received: datetime) -> datetime:
    """Return the time the network server wrote; the time of arrival where it wrote none."""
    return received if written is None else read_moment(written, "time").astimezone(UTC)


_READERS: dict[Format, Callable[[Any, Address, datetime], Opened]] = {
    "sensorthings": _read_sensorthings,
    "senml": _read_senml,
    "chirpstack": _read_chirpstack,
    "tts": _read_tts,
    "json": _read_json,
}
