"""The archive of a private cluster's write-ahead log: every finished segment, compressed, in a folder of its own.

With it a base backup can be rolled forward to any moment. The archive of each cluster lies in a folder named by its
system identifier, so that a cluster made anew never meets the segments of the one before it.
"""

import os
import shlex
import subprocess
from pathlib import Path

from layers.errors import SetupError

SUFFIX = ".gz"
# The most that is lost with the machine [s]: a segment is closed after this time even when it is not full.
LOSS_S = 60
_NAME = "archive-segment"
# Beside its place, onto the disk, then renamed. A segment that is there with other content is never overwritten.
_SCRIPT = """#!/bin/sh
set -eu
from=$1 to=$2/$3{suffix}
if [ -e "$to" ]; then
    if gzip -dc "$to" | cmp -s - "$from"; then exit 0; fi
    echo "archive: $to is there with other content" >&2
    exit 1
fi
trap 'rm -f "$to.part"' EXIT
gzip -1nc "$from" > "$to.part"
sync "$to.part"
mv "$to.part" "$to"
sync "$2"
"""


def describe_archive(archive: Path | None, folder: Path) -> str:
    """Return the configuration lines for a server whose script lies in ``folder``; without an archive it is off.

    The switch itself asks for a start of the server, so it is on always and archives to nowhere without a folder.
    """
    if archive is None:
        return "archive_mode = on\narchive_command = '/bin/true'\n"
    words = f'{shlex.quote(str(folder / _NAME))} "%p" {_escape(archive)} "%f"'
    return f"archive_mode = on\narchive_timeout = {LOSS_S}\narchive_command = {_quote(words)}\n"


def describe_restore(archive: Path) -> str:
    """Return the configuration line by which a server reads segments back."""
    # An exit code above 125 would end the recovery; that of gzip for what is not there is 1.
    words = f'gzip -dc {_escape(archive)}/"%f"{SUFFIX} > "%p" 2>/dev/null'
    return f"restore_command = {_quote(words)}\n"


def prepare_archive(archive: Path, folder: Path) -> list[Path]:
    """Make the folder of an archive and write the script into ``folder``; return what the server's owner must own."""
    archive.mkdir(parents=True, exist_ok=True, mode=0o700)
    script = folder / _NAME
    script.write_text(_SCRIPT.format(suffix=SUFFIX))
    script.chmod(0o755)
    return [archive, script]


def read_system_identifier(binaries: Path, data: Path) -> str:
    """Return what PostgreSQL calls the cluster in ``data``; SetupError when it is none."""
    # Without the locale and all else: the words are parsed.
    asked = subprocess.run(
        [binaries / "pg_controldata", "-D", data], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    )
    for line in asked.stdout.splitlines():
        name, _, value = line.partition(":")
        if name == "Database system identifier":
            return value.strip()
    raise SetupError(f"'{data}' is not a data directory of PostgreSQL: {asked.stderr.strip()[:200]}")


def list_segments(archive: Path) -> list[str]:
    """Return the names of the archived segments and timelines, oldest first."""
    return sorted(entry.name.removesuffix(SUFFIX) for entry in os.scandir(archive) if entry.name.endswith(SUFFIX))


def remove_before(archive: Path, segment: str) -> int:
    """Remove the segments that end before ``segment`` begins, on whatever timeline, and return how many there were."""
    removed = 0
    for name in list_segments(archive):
        # Eight digits of the timeline, sixteen of the place; files of another form are histories of timelines.
        if len(name) == 24 and name[8:] < segment[8:24]:
            (archive / f"{name}{SUFFIX}").unlink(missing_ok=True)
            removed += 1
    return removed


def _quote(value: str) -> str:
    """Return ``value`` as a string of postgresql.conf."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _escape(path: Path) -> str:
    """Return ``path`` as one word of a shell in a command of PostgreSQL, where % begins a placeholder."""
    return shlex.quote(str(path)).replace("%", "%%")
