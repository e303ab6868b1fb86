"""Addresses → files: fetched over HTTP(S) into a cache, asked again only whether they changed.

Only public addresses are asked, and those of hosts that are named as private.
"""

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import orjson

from layers.errors import SourceError
from layers.ingest.readers import find_ending
from layers.outbound import open_client

MOST_BYTES = 4 << 30
_READ_S, _CONNECT_S, _TOTAL_S = 30.0, 10.0, 3600.0
_MOST_REDIRECTS = 5
_BLOCK = 1 << 20
_ENDINGS = {
    "application/geo+json": ".geojson",
    "application/geopackage+sqlite3": ".gpkg",
    "application/vnd.google-earth.kml+xml": ".kml",
    "application/vnd.google-earth.kmz": ".kmz",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.apache.parquet": ".parquet",
    "application/gml+xml": ".gml",
    "application/gpx+xml": ".gpx",
    "application/city+json": ".city.json",
    "application/json": ".json",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
    "image/tiff": ".tif",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
}
_NAMED = re.compile(r"""filename\*?=(?:utf-8'')?"?([^";]+)""", re.IGNORECASE)

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is remembered of a fetched file: where it came from, its name, and what tells whether it changed."""

    url: str
    name: str
    etag: str | None
    modified: str | None


def is_url(uri: str) -> bool:
    """Return whether ``uri`` is an address to be fetched."""
    return uri.lower().startswith(("http://", "https://"))


def fetch(
    url: str,
    folder: Path,
    *,
    progress: Progress | None = None,
    most_bytes: int = MOST_BYTES,
    private_hosts: Collection[str] = (),
    notes: list[str] | None = None,
) -> Path:
    """Return the file behind ``url``, kept under ``folder``; what did not change is not fetched again.

    The file has the ending its name or content type stands for. Where the server cannot be reached a kept file is
    used and ``notes`` say so. SourceError names the address and what is wrong: no such page, too slow, too large, a
    web page where data were expected, a kind of file that cannot be read; AddressError a private address, also where
    a redirect leads to it.
    """
    place = folder / hashlib.sha256(url.encode()).hexdigest()[:16]
    kept = _read_kept(place)
    try:
        return _download(url, place, kept, most_bytes, private_hosts, progress)
    except httpx.TransportError as error:
        if kept is None:
            raise SourceError(f"{url} cannot be fetched: {_describe(error)}", hint="check the address") from error
        if notes is not None:
            notes.append(f"{url} could not be reached; the file fetched before is used")
        return place / kept.name
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(f"{url} cannot be fetched: {_describe(error)}") from error


def _describe(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "the server did not answer in time"
    if isinstance(error, httpx.TooManyRedirects):
        return f"more than {_MOST_REDIRECTS} redirects"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _download(
    url: str,
    place: Path,
    kept: _Kept | None,
    most_bytes: int,
    private_hosts: Collection[str],
    progress: Progress | None,
) -> Path:
    asked = {}
    if kept is not None and kept.etag:
        asked["If-None-Match"] = kept.etag
    if kept is not None and kept.modified:
        asked["If-Modified-Since"] = kept.modified
    client = open_client(
        total_s=_TOTAL_S,
        read_s=_READ_S,
        connect_s=_CONNECT_S,
        redirects=_MOST_REDIRECTS,
        private_hosts=private_hosts,
    )
    with client, client.stream("GET", url, headers=asked) as answer:
        if answer.status_code == httpx.codes.NOT_MODIFIED and kept is not None:
            return place / kept.name
        if answer.status_code != httpx.codes.OK:
            raise SourceError(f"{url} cannot be fetched: {answer.status_code} {answer.reason_phrase}")
        name = _choose_name(url, answer)
        place.mkdir(parents=True, exist_ok=True)
        half = place / ".half"
        try:
            _write(url, answer, half, most_bytes, progress)
            half.replace(place / name)
        finally:
            half.unlink(missing_ok=True)
        new = _Kept(url, name, answer.headers.get("etag"), answer.headers.get("last-modified"))
    if kept is not None and kept.name != name:
        (place / kept.name).unlink(missing_ok=True)
    (place / "kept.json").write_bytes(orjson.dumps(asdict(new)))
    return place / name


def _choose_name(url: str, answer: httpx.Response) -> str:
    """Return the file's name: from the header, the address or the content type, whichever has a known ending."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    named = _NAMED.search(answer.headers.get("content-disposition", ""))
    offered = [unquote(named.group(1))] if named else []
    offered += [unquote(urlsplit(address).path) for address in (str(answer.url), url)]
    names = [re.sub(r"[^\w.-]+", "_", one.rsplit("/", 1)[-1]).strip("._")[-80:] for one in offered]
    known = next((name for name in names if find_ending(name)), None)
    if kind in ("text/html", "application/xhtml+xml"):
        raise SourceError(f"{url} answers with a web page, expected data", hint="give the address of the file itself")
    if known is not None:
        return known
    if kind in _ENDINGS:
        return f"{names[0] or 'file'}{_ENDINGS[kind]}"
    raise SourceError(f"{url} does not say what kind of file it is (content type '{kind}')", hint="fetch it by hand")


def _write(url: str, answer: httpx.Response, path: Path, most_bytes: int, progress: Progress | None) -> None:
    promised = int(answer.headers.get("content-length", 0) or 0)
    if promised > most_bytes:
        raise SourceError(f"{url} has {promised >> 20} MiB, at most {most_bytes >> 20} MiB are fetched")
    done = 0
    with path.open("wb") as made:
        for block in answer.iter_bytes(_BLOCK):
            done += len(block)
            if done > most_bytes:
                raise SourceError(f"{url} has more than {most_bytes >> 20} MiB, which is the most that is fetched")
            made.write(block)
            if progress is not None:
                share = min(1.0, answer.num_bytes_downloaded / promised) if promised else 0.0
                progress(share, f"{urlsplit(url).hostname}: {done / (1 << 20):.1f} MiB")
    if done == 0:
        raise SourceError(f"{url} answers with nothing")


def _read_kept(place: Path) -> _Kept | None:
    try:
        kept = _Kept(**orjson.loads((place / "kept.json").read_bytes()))
    except (OSError, orjson.JSONDecodeError, TypeError):
        return None
    return kept if (place / kept.name).is_file() else None
