"""Photographs and papers of a feature: the file by its content on disk, who brought it in the database."""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError, TooLargeError
from layers.schema import VectorLayer
from layers.store.references import require_feature

FOLDER = "attachments"
MOST_PIXELS = 120_000_000
MOST_OF_ONE = 500
"""Files one feature may have."""
# Cameras write their own notes behind the end of a picture.
_TAIL = 65_536
# Ending of the file, what its content begins with, and what stands near its end.
_MARKS = {
    "image/jpeg": ("jpg", b"\xff\xd8\xff", b"\xff\xd9"),
    "image/png": ("png", b"\x89PNG\r\n\x1a\n", b"IEND"),
    "image/webp": ("webp", b"RIFF", b""),
    "application/pdf": ("pdf", b"%PDF-", b"%%EOF"),
}
_DECODERS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_COLUMNS = "id, layer, feature, sha256, media_type, filename, title, bytes, author, created"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of one feature; ``bytes`` is its size."""

    id: int
    layer: str
    feature: str
    sha256: str
    media_type: str
    filename: str
    title: str
    bytes: int
    author: str
    created: datetime

    @property
    def path(self) -> str:
        """Where the file lies, below the folder of processed files."""
        return name_file(self.sha256, self.media_type)


def name_file(sha256: str, media_type: str) -> str:
    """Return where the bytes of an attachment lie, below the folder of processed files."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}.{_MARKS[media_type][0]}"


class Incoming:
    """A file that is being received: counted, digested and kept beside its place until it is whole."""

    def __init__(self, out: IO[bytes], limit: int) -> None:
        self._out, self._limit = out, limit
        self.size = 0
        self._digest = hashlib.sha256()

    def write(self, block: bytes) -> None:
        """Take the next bytes; TooLargeError when there are more than the limit."""
        self.size += len(block)
        if self.size > self._limit:
            raise TooLargeError(f"the file is larger than {self._limit} bytes", hint="setting TWIN_ATTACHMENT_MB")
        self._digest.update(block)
        self._out.write(block)

    def finish(self) -> None:
        """See to it that all bytes are on the disk."""
        self._out.flush()
        os.fsync(self._out.fileno())

    @property
    def path(self) -> Path:
        """Where the bytes are for now."""
        return Path(self._out.name)

    @property
    def sha256(self) -> str:
        """Digest of what came so far."""
        return self._digest.hexdigest()


@contextmanager
def receive_file(processed_dir: Path, limit: int) -> Iterator[Incoming]:
    """Give a place for a file of at most ``limit`` bytes; what ``keep_attachment`` does not take is removed."""
    folder = processed_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".incoming-", delete=False) as out:
        try:
            yield Incoming(out, limit)
        finally:
            Path(out.name).unlink(missing_ok=True)


def keep_attachment(
    connection: Connection,
    processed_dir: Path,
    incoming: Incoming,
    layer: VectorLayer,
    feature: str,
    *,
    media_type: str,
    filename: str,
    title: str,
    author: str,
) -> Attachment:
    """Check the received file, put it in its place and record it.

    InputError when its content is not what ``media_type`` says, NotFoundError when there is no such feature,
    TooLargeError when it has ``MOST_OF_ONE`` files. Equal files are stored once.
    """
    require_feature(connection, layer, feature)
    _check_room(connection, layer, feature)
    incoming.finish()
    check_content(incoming.path, media_type)
    row = connection.execute(
        text(
            "insert into inventory.attachment (layer, feature, sha256, media_type, filename, title, bytes, author) "
            f"values (:layer, :feature, :sha256, :media_type, :filename, :title, :bytes, :author) returning {_COLUMNS}"
        ),
        {
            "layer": layer.id,
            "feature": feature,
            "sha256": incoming.sha256,
            "media_type": media_type,
            "filename": filename,
            "title": title,
            "bytes": incoming.size,
            "author": author,
        },
    ).one()
    kept = Attachment(*row)
    place = processed_dir / kept.path
    place.parent.mkdir(parents=True, exist_ok=True)
    incoming.path.replace(place)
    place.chmod(0o644)
    return kept


def _check_room(connection: Connection, layer: VectorLayer, feature: str) -> None:
    count = connection.execute(
        text(
            "select count(*) from inventory.attachment where layer = :layer and feature = :feature and deleted is null"
        ),
        {"layer": layer.id, "feature": feature},
    ).scalar_one()
    if count >= MOST_OF_ONE:
        raise TooLargeError(f"'{feature}' has {count} files, at most {MOST_OF_ONE} are kept", hint="delete some first")


def check_content(path: Path, media_type: str) -> None:
    """Raise InputError unless the file at ``path`` is a whole file of ``media_type``; images are decoded."""
    if media_type not in _MARKS:
        raise InputError(f"files of type '{media_type[:80]}' are not kept", hint=f"one of {', '.join(_MARKS)}")
    ending, head, tail = _MARKS[media_type]
    with path.open("rb") as opened:
        begins = opened.read(len(head)) == head
        opened.seek(max(0, path.stat().st_size - _TAIL))
        whole = begins and tail in opened.read()
    if not whole:
        raise InputError(f"the file is not a whole {ending.upper()}")
    if media_type in _DECODERS:
        _decode(path, _DECODERS[media_type])


def _decode(path: Path, driver: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver=driver, sharing=False) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise TooLargeError(f"the image has {image.width} × {image.height} pixels, at most {MOST_PIXELS:,}")
                image.read(1)
    except RasterioError as error:
        raise InputError(f"the file is not a whole {driver} image") from error


def list_attachments(connection: Connection, layer_id: str, feature: str) -> list[Attachment]:
    """Return the files of a feature, the newest first."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from inventory.attachment "
            "where layer = :layer and feature = :feature and deleted is null order by id desc"
        ),
        {"layer": layer_id, "feature": feature},
    )
    return [Attachment(*row) for row in rows]


def list_attachment_paths(connection: Connection) -> list[str]:
    """Return where the files of all attachments lie, those out of sight too, below the folder of processed files."""
    rows = connection.execute(text("select distinct sha256, media_type from inventory.attachment order by 1, 2"))
    return [name_file(row.sha256, row.media_type) for row in rows]


def read_attachment(connection: Connection, attachment_id: int) -> Attachment:
    """Return one attachment; NotFoundError when there is none or it was deleted."""
    row = connection.execute(
        text(f"select {_COLUMNS} from inventory.attachment where id = :id and deleted is null"), {"id": attachment_id}
    ).first()
    if row is None:
        raise NotFoundError(f"attachment {attachment_id} does not exist")
    return Attachment(*row)


def delete_attachment(connection: Connection, attachment_id: int, *, author: str, reason: str) -> None:
    """Take an attachment out of sight; the record and the file stay for the history."""
    done = connection.execute(
        text(
            "update inventory.attachment set deleted = clock_timestamp(), deleted_by = :author, deleted_why = :reason "
            "where id = :id and deleted is null"
        ),
        {"id": attachment_id, "author": author, "reason": reason},
    )
    if not done.rowcount:
        raise NotFoundError(f"attachment {attachment_id} does not exist")
