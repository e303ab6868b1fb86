"""A sender writes its own series alone: what its topic, or the key it came with, allows.

Over MQTT the broker lets an account publish below its own topics only; what the payload says must not reach beyond.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from twin.sensors.message import Message, Opened, Reading, Refusal
from twin.sensors.opening import read_topic
from twin.store_keys import list_bound


def refuse_foreign(
    connection: Connection, messages: Sequence[Message], opened: Sequence[Opened], only: Collection[str] | None
) -> None:
    """Refuse readings of ``opened`` that are not among ``only``, not of the datastream that the topic names, or not of
    the device that it names where that one has a key of its own.
    """
    addresses = [read_topic(message.topic) for message in messages]
    named = {one.device for message, one in zip(messages, addresses, strict=True) if one.device and _is_mqtt(message)}
    bound = list_bound(connection, named) if named else {}
    for message, address, one in zip(messages, addresses, opened, strict=True):
        allowed = [only] if only is not None else []
        if address.datastream is not None and _is_mqtt(message):
            allowed.append({address.datastream})
        if address.device in bound and _is_mqtt(message):
            allowed.append(bound[address.device])
        if allowed:
            one.readings = _keep(one, allowed)


def _keep(opened: Opened, allowed: Sequence[Collection[str]]) -> list[Reading]:
    kept = []
    for reading in opened.readings:
        name = reading.row["datastream_id"]
        if all(name in names for names in allowed):
            kept.append(reading)
        else:
            said = f"datastream '{name[:100]}' is not of who sent it"
            opened.refusals.append(Refusal("not-own", said, device=opened.device or "?"))
    return kept


def _is_mqtt(message: Message) -> bool:
    return message.channel == "mqtt"
