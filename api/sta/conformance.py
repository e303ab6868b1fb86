"""The service root: where the entity sets are, and which requirements of OGC 18-088 are met."""

from typing import Any

from layers.store.sensing.entities import ENTITIES
from twin.sensors.broker import name_broker, read_broker
from twin.settings import Settings

REQUIREMENTS = "http://www.opengis.net/spec/iot_sensing/1.1/req"
MET = (
    "datamodel",
    "resource-path/resource-path-to-entities",
    "request-data",
    "create-update-delete/create-entity",
    "create-update-delete/link-to-existing-entities",
    "create-update-delete/deep-insert",
    "create-update-delete/deep-insert-status-code",
    "create-update-delete/update-entity",
    "create-update-delete/update-entity-put",
    "create-update-delete/update-entity-jsonpatch",
    "create-update-delete/delete-entity",
    "create-update-delete/historical-location-auto-creation",
    "batch-request/batch-request",
    "data-array/data-array",
)
CREATING = "create-observations-via-mqtt/observations-creation"
RECEIVING = "receive-updates-via-mqtt/receive-updates"


def write_service_root(root: str, settings: Settings) -> dict[str, Any]:
    """Return the document of the service root."""
    endpoints = find_endpoints(settings)
    told: dict[str, Any] = {"conformance": [f"{REQUIREMENTS}/{name}" for name in (*MET, *endpoints)]}
    for name, address in endpoints.items():
        told[f"{REQUIREMENTS}/{name}"] = {"endpoints": [address]}
    return {"value": [{"name": name, "url": f"{root}/{name}"} for name in ENTITIES], "serverSettings": told}


def find_endpoints(settings: Settings) -> dict[str, str]:
    """Return the addresses of MQTT by requirement: the configured ones, else those of the private broker."""
    broker = read_broker(name_broker(settings.state_dir))
    creating, receiving = settings.mqtt_devices_url, settings.mqtt_subscribers_url
    if broker is not None:
        creating = creating or f"mqtt://127.0.0.1:{broker.device_port}"
        receiving = receiving or f"mqtt://127.0.0.1:{broker.reader_port}"
    return {name: address for name, address in ((CREATING, creating), (RECEIVING, receiving)) if address}
