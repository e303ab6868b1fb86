"""Files that a run keeps beside its rasters: tables and drawings, by name."""

from pathlib import Path

from fastapi import APIRouter, Depends
from starlette.responses import FileResponse, Response

from api.answers import answer_json
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from layers.errors import NotFoundError
from twin.store import find_run_folder

router = APIRouter(prefix="/api/runs", tags=["runs"], dependencies=[Depends(refuse_unknown)])

MEDIA_TYPES = {".csv": "text/csv; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml"}
# What a run left never changes. A drawing opened by itself runs nothing and asks for nothing.
_HEADERS = {
    "cache-control": "public, max-age=86400",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
}


@router.get("/{run_id}/files", summary="Tables and drawings that a run keeps")
def list_files(run_id: str, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Return name, size [byte] and address of each file."""
    folder = find_run_folder(connection, resources.settings.processed_dir, run_id, with_rasters=False)
    found = [
        {
            "name": path.name,
            "size": path.stat().st_size,
            **links.link(f"/api/runs/{run_id}/files/{path.name}", "enclosure", MEDIA_TYPES[path.suffix]),
        }
        for path in _list(folder)
    ]
    return answer_json({"run": run_id, "files": found})


@router.get("/{run_id}/files/{name}", summary="A table or drawing that a run keeps")
def read_file(run_id: str, name: str, connection: ConnectionOf, resources: ResourcesOf) -> Response:
    """Return the file as it was written."""
    folder = find_run_folder(connection, resources.settings.processed_dir, run_id, with_rasters=False)
    # Only names that are listed are read: nothing a client writes becomes part of a path.
    found = next((path for path in _list(folder) if path.name == name), None)
    if found is None:
        known = ", ".join(path.name for path in _list(folder)) or "it keeps none"
        raise NotFoundError(f"run '{run_id}' keeps no file '{name[:80]}'", hint=known)
    return FileResponse(found, media_type=MEDIA_TYPES[found.suffix], headers=_HEADERS)


def _list(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix in MEDIA_TYPES and path.is_file())
