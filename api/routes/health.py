"""Whether the server lives, whether it can serve, and what it counted."""

from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import ResourcesOf, refuse_unknown
from api.principal import current_principal

router = APIRouter(tags=["health"], dependencies=[Depends(refuse_unknown)])
_FRESH = {"cache-control": "no-store"}


@router.get("/healthz", summary="Is the process alive")
def read_health() -> Response:
    """Answer as long as the process lives."""
    return answer_json({"status": "ok"}, headers=_FRESH)


@router.get("/readyz", summary="Can it serve, and what is wrong")
def read_readiness(request: Request, resources: ResourcesOf) -> Response:
    """Return how each thing stands and since when, to the staff also why and what to do; 503 only where this process
    cannot serve.

    What is wrong beside (workers, broker, loop, disk, clock) makes it ``degraded``; a process that takes leave is
    ``draining``.
    """
    found = resources.readiness.read(in_words=current_principal(request).may("read-staff"))
    return answer_json(found, status=200 if found["ready"] else 503, headers=_FRESH)


@router.get("/metrics", summary="Figures for Prometheus")
def read_metrics(request: Request, resources: ResourcesOf) -> Response:
    """Return what this server and the other processes counted, and how the city stands; for the staff."""
    current_principal(request).require("read-staff")
    written = resources.metrics.write() + resources.figures.write()
    return Response(written, headers={"content-type": CONTENT_TYPE_LATEST, **_FRESH})
