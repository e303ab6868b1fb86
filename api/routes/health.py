"""Whether the server lives, whether it can serve, and what it counted."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import ResourcesOf, refuse_unknown
from api.resources import Resources
from layers.errors import TwinError
from layers.store.migrate import read_city
from twin.store_queue import count_workers

_WORKER_SEEN_S = 60.0

router = APIRouter(tags=["health"], dependencies=[Depends(refuse_unknown)])


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; the server is not ready when a ``required`` one fails."""

    name: str
    ok: bool
    detail: str
    required: bool


@router.get("/healthz", summary="Is the process alive")
def read_health() -> Response:
    """Answer as long as the process lives."""
    return answer_json({"status": "ok"}, headers={"cache-control": "no-store"})


@router.get("/readyz", summary="Can it serve")
def read_readiness(resources: ResourcesOf) -> Response:
    """Look at database, tables, notifications and viewer, and give the reason for what is missing."""
    checks = [
        _check_database(resources),
        _check_versions(resources),
        _check_worker(resources),
        _check_viewer(resources),
    ]
    ready = all(check.ok or not check.required for check in checks)
    written: list[dict[str, Any]] = [
        {"name": check.name, "ok": check.ok, "required": check.required, "detail": check.detail} for check in checks
    ]
    return answer_json(
        {"ready": ready, "checks": written}, status=200 if ready else 503, headers={"cache-control": "no-store"}
    )


@router.get("/metrics", summary="Counters for Prometheus")
def read_metrics(resources: ResourcesOf) -> Response:
    """Return requests by route, their time, and the caches."""
    return Response(resources.metrics.write(), headers={"content-type": CONTENT_TYPE_LATEST})


def _check_database(resources: Resources) -> Check:
    try:
        with resources.engine.connect() as connection:
            city = read_city(connection)
    except TwinError as error:
        return Check("database", False, str(error), True)
    except SQLAlchemyError:
        return Check("database", False, "the database cannot be reached", True)
    return Check("database", True, f"city '{city.id}' in EPSG:{city.srid}", True)


def _check_versions(resources: Resources) -> Check:
    followed = resources.versions.tokens is not None
    detail = "changes are followed" if followed else "changes are not followed: each tile asks the database"
    return Check("notifications", followed, detail, False)


def _check_worker(resources: Resources) -> Check:
    try:
        with resources.engine.connect() as connection:
            workers = count_workers(connection, seen_within_s=_WORKER_SEEN_S)
    except SQLAlchemyError:
        return Check("worker", False, "the queue cannot be read", False)
    return Check("worker", workers > 0, f"{workers} at work" if workers else "none seen; type: twin worker", False)


def _check_viewer(resources: Resources) -> Check:
    built = (resources.settings.web_dir / "index.html").exists()
    return Check("viewer", built, "built" if built else "not built; type: make setup", False)
