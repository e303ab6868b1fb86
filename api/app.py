"""The application: routes, middleware and error handlers put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from api.auditing import Audited
from api.compression import CompressText
from api.door import Door
from api.draining import CloseWhenLeaving
from api.errors import AnswerUnexpected, install_handlers
from api.limits.answers import HEADERS
from api.limits.rates import KeepLanes, LimitAddresses
from api.methods import AnswerHead, RefuseMethods
from api.metrics import Metrics
from api.observing import WatchRequests
from api.pages.showing import ShowPages
from api.resources import hold_resources
from api.routes import (
    accounts,
    aggregates,
    alarm_rules,
    alarms,
    archives,
    areas,
    attachments,
    audit,
    bulk,
    cap,
    cap_desk,
    checks,
    collections,
    edits,
    esri,
    esri_tiles,
    fonts,
    forecasts,
    functions,
    gtfs,
    health,
    history,
    indicators,
    inspections,
    items,
    jobs,
    landing,
    legends,
    maps,
    observation_csv,
    oidc,
    own_access,
    personal,
    processes,
    profiles,
    qgis,
    quarantine,
    queries,
    raster_collections,
    raster_values,
    rasters,
    run_files,
    runs,
    scene,
    search,
    sensors,
    sign_in,
    slo,
    sprites,
    sta,
    sta_batch,
    sta_write,
    stac,
    state,
    styles,
    telemetry,
    terria,
    tiles,
    tilesets,
    traces,
    wms,
    wmts,
    work_orders,
    wzdx,
)
from api.routes.viewer import Viewer
from api.secure_headers import SecureHeaders
from api.security import RefuseBadRequests
from twin.observing.traces import begin_traces, end_traces
from twin.settings import Settings, read_settings, read_shared_counters

# In the order in which addresses are tried: an item's id may hold slashes, so what lies below an item comes first.
_ROUTES = (
    landing,
    collections,
    tilesets,
    attachments,
    inspections,
    aggregates,
    areas,
    history,
    edits,
    bulk,
    items,
    checks,
    queries,
    functions,
    search,
    esri,
    esri_tiles,
    archives,
    tiles,
    styles,
    legends,
    sprites,
    fonts,
    terria,
    qgis,
    rasters,
    scene,
    raster_values,
    raster_collections,
    stac,
    sensors,
    forecasts,
    state,
    telemetry,
    sta,
    sta_batch,
    sta_write,
    observation_csv,
    personal,
    processes,
    traces,
    jobs,
    profiles,
    gtfs,
    runs,
    run_files,
    work_orders,
    alarms,
    alarm_rules,
    indicators,
    quarantine,
    cap,
    cap_desk,
    maps,
    wms,
    wmts,
    wzdx,
    audit,
    slo,
    health,
    sign_in,
    own_access,
    accounts,
    oidc,
)
_EXPOSED = ["ETag", "Location", "Content-Crs", "Content-Range", "Accept-Ranges", "Twin-Tile-Truncated", "X-Request-Id"]


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application for ``settings``, or for those of the environment."""
    used = settings or read_settings()
    metrics = Metrics(read_shared_counters())

    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        begin_traces("serve", used)
        async with hold_resources(used, metrics) as resources:
            app.state.resources = resources
            yield
        end_traces()

    app = FastAPI(
        title="City twin",
        version=version("city-twin"),
        description="Layers, tiles, sensors, processes and runs of a city. All of it is public to read, "
        "except the records of upkeep and of quarantine; who may write is said in docs/api.md.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=live,
    )
    install_handlers(app)
    app.router.routes.extend(tiles.routes)
    app.router.routes.extend(esri_tiles.routes)
    app.router.routes.extend(tilesets.routes)
    app.router.routes.extend(sta_write.routes)
    for module in _ROUTES:
        app.include_router(module.router)
    app.include_router(rasters.files)
    app.mount("/", RefuseMethods(Viewer(used.web_dir), tuple(app.router.routes)), name="viewer")

    # The last added is the outermost.
    app.add_middleware(AnswerHead)
    app.add_middleware(ShowPages)
    app.add_middleware(KeepLanes)
    app.add_middleware(Door)
    app.add_middleware(Audited)
    app.add_middleware(RefuseBadRequests, sta_limit=used.sensing_body_mb * 1_000_000)
    app.add_middleware(CompressText)
    app.add_middleware(LimitAddresses)
    app.add_middleware(AnswerUnexpected)
    # Public data may be read from any page; nothing that changes something is allowed from another origin.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD"],
        expose_headers=[*_EXPOSED, *HEADERS],
        allow_headers=["Range", "If-Range", "If-None-Match"],
    )
    app.add_middleware(SecureHeaders, embedders=used.embedders, https=(used.public_url or "").startswith("https://"))
    app.add_middleware(CloseWhenLeaving)
    app.add_middleware(WatchRequests, metrics=metrics)
    return app
