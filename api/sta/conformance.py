"""The service root: where the entity sets are, and which requirements of OGC 18-088 are met."""

from collections.abc import Sequence
from typing import Any

from layers.store.sensing.entities import ENTITIES

_REQUIREMENTS = "http://www.opengis.net/spec/iot_sensing/1.1/req"
READING = (
    "datamodel",
    "resource-path/resource-path-to-entities",
    "request-data",
)
RECEIVING = "receive-updates-via-mqtt/receive-updates"
CREATING = "create-observations-via-mqtt/observations-creation"


def write_service_root(
    root: str, further: Sequence[str] = (), endpoints: dict[str, Sequence[str]] | None = None
) -> dict[str, Any]:
    """Return the document of the service root.

    ``further``: requirements met beside those of reading, without their common beginning. ``endpoints``: addresses of
    the MQTT brokers, by requirement (`CREATING`, `RECEIVING`).
    """
    served = {name: list(addresses) for name, addresses in (endpoints or {}).items() if addresses}
    names = [*READING, *further, *served]
    settings: dict[str, Any] = {"conformance": [f"{_REQUIREMENTS}/{name}" for name in names]}
    for name, addresses in served.items():
        settings[f"{_REQUIREMENTS}/{name}"] = {"endpoints": addresses}
    sets = [{"name": name, "url": f"{root}/{name}"} for name in ENTITIES]
    return {"value": sets, "serverSettings": settings}
