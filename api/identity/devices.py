"""What a device may do with SensorThings: send Observations of its own Datastreams, and nothing else."""

from collections.abc import Iterable
from typing import Any

from api.principal import Principal
from api.sta.paths import parse_path
from api.sta.writing import CREATE_OBSERVATIONS, Change
from layers.errors import ForbiddenError, TwinError
from layers.store.sensing.documents import ID, read_id

_ROLES = frozenset({"device"})


def check_change(principal: Principal, change: Change) -> None:
    """Raise ForbiddenError for what a device may not change; others pass."""
    if principal.roles != _ROLES:
        return
    if change.method != "POST":
        raise ForbiddenError("a device sends readings; it changes and deletes nothing")
    require_series(principal, list(_find_series(change)))


def require_series(principal: Principal, names: Iterable[str]) -> None:
    """Raise ForbiddenError where one of the datastreams ``names`` is not the device's own."""
    if principal.streams is None:
        return
    for name in names:
        if name not in principal.streams:
            raise ForbiddenError(f"datastream '{name[:100]}' is not of this device", hint="twin sensors devices list")


def _find_series(change: Change) -> Iterable[str]:
    """Yield the datastreams that a change writes readings of; ForbiddenError where it makes or links anything more."""
    if change.path.strip("/") == CREATE_OBSERVATIONS:
        for entry in change.body if isinstance(change.body, list) else [change.body]:
            yield _read_link(entry.get("Datastream") if isinstance(entry, dict) else None)
        return
    path, sent = parse_path(change.path), change.body
    names = [step.entity.name for step in path.steps]
    if names not in (["Observations"], ["Datastreams", "Observations"]) or not path.many or path.ending:
        raise ForbiddenError("a device sends Observations alone")
    if not isinstance(sent, dict) or ID in sent:
        raise ForbiddenError("a device sends new Observations alone")
    if sent.get("FeatureOfInterest") is not None:
        _read_link(sent["FeatureOfInterest"])
    if names[0] == "Datastreams":
        yield str(path.steps[0].key)
    if names[0] == "Observations" or "Datastream" in sent:
        yield _read_link(sent.get("Datastream"))


def _read_link(sent: Any) -> str:
    try:
        if isinstance(sent, dict) and sent.keys() == {ID}:
            return read_id(sent[ID])
    except TwinError:
        pass
    raise ForbiddenError("a device names what is there by its @iot.id and makes nothing new")
