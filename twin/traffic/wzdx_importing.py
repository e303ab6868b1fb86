"""A WZDx feed into the layer ``road_works``, by the way every file goes: checked, versioned, rejected events kept."""

import re
from pathlib import Path

import orjson
from sqlalchemy import Engine

from layers.errors import InputError
from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.ingest.quality import LoadReport
from layers.ingest.stream import Policy
from twin.traffic.wzdx_reading import read_feed

FOLDER = ".wzdx"


def import_feed(
    engine: Engine, content: bytes, name: str, raw_dir: Path, *, author: str, prune: bool = False, dry_run: bool = False
) -> LoadReport:
    """Load the events of a feed called ``name`` and return the report.

    Feeds of the same name are one source: its events are updated, and with ``prune`` those it no longer has go. A feed
    without any event changes nothing: events end by their own times.
    """
    stem = re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-.")[:60]
    if not stem:
        raise InputError(f"'{name[:80]}' names no feed", hint="give a name with letters or digits")
    header, features = read_feed(content)
    if not features:
        return LoadReport(f"wzdx-{stem}", "road_works", notes=("the feed has no events; nothing was changed",))
    folder = raw_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}.geojson"
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))
    publisher = str(header.get("publisher") or name)[:200]
    source = Source(
        id=f"wzdx-{stem}",
        uri=path.name,
        layer="road_works",
        title=Words(vi=f"WZDx – {publisher}", en=f"WZDx – {publisher}"),
        licence=str(header.get("license") or "")[:200],
        attribution=publisher,
    )
    policy = Policy(prune=prune, confirmed=prune, author=author)
    return load_source(engine, source, folder, policy=policy, dry_run=dry_run)[0]
