"""``twin serve``: the HTTP server."""

import ipaddress
import shutil
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from twin.connect import find_database
from twin.observing.logs import describe_logging
from twin.settings import read_settings, share_counters

_APPLICATION = "api.app:create_app"
_PROTOCOL = "api.limits.wire:BoundedProtocol"
_KEEP_ALIVE_S, _BACKLOG = 75, 1024
"""Longer than proxies keep a connection to us, so that it is they who close it."""
READY_WITHIN_S = 60
"""How long a process that replaces another (SIGHUP) may take until it answers."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("serve")(serve)


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless TWIN_HOST says more.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that answer, each with memory for tiles of its own.")
    ] = 1,
) -> None:
    """Serve the map and the API until stopped; only to this machine unless an address is named."""
    settings = read_settings()
    address, number = host or settings.host, port or settings.port
    if not _is_loopback(address):
        Console(stderr=True).print(
            f"twin: whoever reaches {address}:{number} can read what is public and run processes, "
            "in the clear: put a proxy with TLS before it, docs/install.md",
            style="yellow",
            highlight=False,
        )
    find_database(settings)
    if workers > 1:
        share_counters(_clear(settings.state_dir / "counters" / str(number)))
    typer.echo(f"http://{_write_host(address)}:{number}/")
    uvicorn.run(
        _APPLICATION,
        factory=True,
        host=address,
        port=number,
        workers=workers,
        log_config=describe_logging("serve", settings),
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.finish_seconds,
        timeout_worker_healthcheck=READY_WITHIN_S,
        forwarded_allow_ips=settings.proxies,
        http=_PROTOCOL,
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE_S,
        backlog=_BACKLOG,
    )


def _clear(folder: Path) -> Path:
    """Make an empty folder for the counters of this server: those of an earlier one would be added to them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _write_host(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
