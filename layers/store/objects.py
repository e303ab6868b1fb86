"""Objects: files in a bucket of a store that speaks S3, named ``s3://bucket/key``.

A process says once how buckets are reached (``reach_objects``). Keys of the store come from the environment (``AWS_*``)
or a profile, never from settings of ours. Rasters are not read here but by GDAL, in ranges, under the name that
``name_for_gdal`` gives.
"""

import configparser
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import S3Store
from rasterio.env import set_gdal_config

from layers.errors import InputError, NotFoundError, ObjectStoreError, SetupError

if TYPE_CHECKING:
    from obstore.store import S3Config

GDAL = "/vsis3/"
_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,62})(?:/([^/].*))?/?")
_PATIENCE = timedelta(seconds=20)
_CREDENTIALS = Path("~/.aws/credentials")


@dataclass(frozen=True, slots=True)
class Stat:
    """What a store says of an object; ``etag`` changes with each writing."""

    size: int
    etag: str


class ChangedError(ObjectStoreError):
    """The object was written anew since its ``etag`` was read."""

    code = "object-changed"


@dataclass(frozen=True, slots=True)
class Reach:
    """How buckets are reached: the address of the store (None: Amazon's), a profile of credentials (None: of the
    environment, else of the machine).
    """

    endpoint: str | None = None
    profile: str | None = None


_reach = Reach()


def reach_objects(reach: Reach) -> None:
    """Say for the whole process, GDAL included, how buckets are reached."""
    global _reach
    _reach = reach
    _open_store.cache_clear()
    options: dict[str, str | None] = {
        # Nobody lists a bucket to open a file.
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".tif",
        "GDAL_HTTP_MAX_RETRY": "3",
        "GDAL_HTTP_RETRY_DELAY": "0.3",
        "GDAL_HTTP_CONNECTTIMEOUT": "5",
        "GDAL_HTTP_TIMEOUT": "60",
    }
    if reach.endpoint is not None:
        scheme, _, host = reach.endpoint.partition("://")
        options["AWS_S3_ENDPOINT"] = host.rstrip("/")
        options["AWS_HTTPS"] = "NO" if scheme == "http" else "YES"
        options["AWS_VIRTUAL_HOSTING"] = "FALSE"
    if reach.profile is not None:
        options["AWS_PROFILE"] = reach.profile
    for name, value in options.items():
        set_gdal_config(name, value)


def is_object(name: str) -> bool:
    """Return whether ``name`` is the URL of an object or bucket."""
    return name.startswith("s3://")


def name_for_gdal(url: str) -> str:
    """Return the path under which GDAL reads an object."""
    bucket, key = split_url(url)
    return f"{GDAL}{bucket}/{key}"


def read_gdal_name(path: str) -> str | None:
    """Return the URL of the object that a path of GDAL's means; None for a file of the disk."""
    return f"s3://{path.removeprefix(GDAL)}" if path.startswith(GDAL) else None


def split_url(url: str) -> tuple[str, str]:
    """Return bucket and key of ``s3://bucket/key``; InputError for what is none."""
    found = _URL.fullmatch(url)
    key = (found[2] or "").strip("/") if found else ""
    if found is None or "//" in key or ".." in key.split("/"):
        raise InputError(f"'{url[:200]}' is no address of an object", hint="s3://bucket/key")
    return found[1], key


def put_object(path: Path, url: str) -> None:
    """Write the file at ``path`` to ``url``; it appears whole or not at all, in parts where it is large."""
    store, key = _open(url)
    with _explain(url):
        obstore.put(store, key, path)


def put_folder(folder: Path, url: str) -> None:
    """Write all files of ``folder`` below ``url``."""
    for path in sorted(folder.iterdir()):
        put_object(path, f"{url}/{path.name}")


def fetch_object(url: str, path: Path) -> None:
    """Write the object to the file ``path``, which appears whole or not at all; NotFoundError when there is none."""
    store, key = _open(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.part")
    try:
        with _explain(url), fresh.open("wb") as file:
            for piece in obstore.get(store, key):
                file.write(piece)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def fetch_folder(url: str, folder: Path, *, but: str | None = None) -> None:
    """Bring the objects below ``url`` that ``folder`` lacks into it, but those whose names end with ``but``."""
    for name in list_objects(url):
        path = folder / name
        if "/" not in name and not path.exists() and (but is None or path.suffix != but):
            fetch_object(f"{url}/{name}", path)


def stat_object(url: str) -> Stat:
    """Return size and edition of the object; NotFoundError when there is none."""
    store, key = _open(url)
    with _explain(url):
        said = obstore.head(store, key)
    return Stat(said["size"], said["e_tag"] or "")


def read_range(url: str, start: int, length: int, *, etag: str) -> bytes:
    """Return ``length`` bytes from ``start`` [byte], fewer where the object ends.

    Raises ChangedError when the object is no longer the one with ``etag``, NotFoundError when it is gone.
    """
    store, key = _open(url)
    with _explain(url):
        found = obstore.get(store, key, options={"range": (start, start + length), "if_match": etag})
        return bytes(found.bytes())


def stream_range(url: str, start: int, length: int, *, etag: str) -> Iterator[bytes]:
    """Yield ``length`` bytes from ``start`` [byte], piece by piece, of the edition ``etag``."""
    store, key = _open(url)
    with _explain(url):
        for piece in obstore.get(store, key, options={"range": (start, start + length), "if_match": etag}):
            yield bytes(piece)


def list_objects(url: str) -> list[str]:
    """Return the names of the objects below ``url``, in order."""
    store, key = _open(url)
    prefix = f"{key}/" if key else ""
    with _explain(url):
        found = [each["path"] for batch in obstore.list(store, prefix or None) for each in batch]
    return sorted(path.removeprefix(prefix) for path in found)


def delete_objects(url: str) -> int:
    """Delete all objects below ``url`` and return how many there were."""
    store, key = _open(url)
    names = list_objects(url)
    with _explain(url):
        if names:
            obstore.delete(store, [f"{key}/{name}" if key else name for name in names])
    return len(names)


def _open(url: str) -> tuple[S3Store, str]:
    bucket, key = split_url(url)
    return _open_store(bucket), key


@lru_cache(maxsize=8)
def _open_store(bucket: str) -> S3Store:
    endpoint = _reach.endpoint
    config: S3Config = {"virtual_hosted_style_request": endpoint is None}
    if endpoint is not None:
        config["endpoint"] = endpoint
    if _reach.profile is not None:
        config.update(_read_profile(_reach.profile))
    return S3Store(
        bucket,
        config=config,
        client_options={
            "allow_http": endpoint is not None and endpoint.startswith("http://"),
            "connect_timeout": "5s",
            "timeout": "60s",
        },
        retry_config={"max_retries": 3, "retry_timeout": _PATIENCE},
    )


def _read_profile(name: str) -> "S3Config":
    """Return the keys of a profile, as the tools of the field keep them; SetupError when there is no such profile."""
    parser = configparser.ConfigParser(interpolation=None)
    path = _CREDENTIALS.expanduser()
    parser.read(path)
    if name not in parser:
        raise SetupError(f"there is no profile '{name}' in {path}", hint="TWIN_S3_PROFILE names one")
    keys = parser[name]
    found: S3Config = {
        "access_key_id": keys.get("aws_access_key_id", ""),
        "secret_access_key": keys.get("aws_secret_access_key", ""),
    }
    if "aws_session_token" in keys:
        found["session_token"] = keys["aws_session_token"]
    return found


@contextmanager
def _explain(url: str) -> Iterator[None]:
    """Turn what a store answers into errors of ours; its words may hold signed addresses, and are not repeated."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no object {url}") from error
    except PreconditionError as error:
        raise ChangedError(f"object {url} was written anew meanwhile") from error
    except BaseError as error:
        raise ObjectStoreError(
            f"object {url} cannot be read or written: {type(error).__name__}",
            hint="look at TWIN_S3_ENDPOINT, the credentials, and whether the bucket is there",
        ) from error
