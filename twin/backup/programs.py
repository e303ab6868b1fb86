"""PostgreSQL's own programs, run with their words followed and without a password anybody could read."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from layers.errors import DatabaseError, SetupError
from layers.store.cluster import find_binaries

Follow = Callable[[str], None]


@contextmanager
def hide_password(url: str) -> Iterator[str]:
    """Yield what libpq connects by, with the password of ``url`` in a file of ours alone.

    The arguments of a program are read by everybody on a machine.
    """
    words = conninfo_to_dict(url)
    password = str(words.pop("password", ""))
    with TemporaryDirectory(prefix="twin-pass-") as folder:
        path = Path(folder) / "pgpass"
        path.touch(0o600)
        escaped = password.replace("\\", "\\\\").replace(":", "\\:")
        path.write_text(f"*:*:*:*:{escaped}\n")
        yield make_conninfo("", **{**words, "passfile": str(path), "application_name": "twin backup"})


def find_program(name: str) -> Path:
    """Return the path of a program of PostgreSQL, that of our server first; SetupError when it is not installed."""
    binaries = find_binaries()
    if binaries is not None and (binaries / name).exists():
        return binaries / name
    found = shutil.which(name)
    if found is None:
        raise SetupError(f"{name} is not installed", hint="type: apt-get install postgresql-client")
    return Path(found)


def run_program(name: str, *arguments: str, follow: Follow | None = None) -> None:
    """Run a program of PostgreSQL; ``follow`` hears its words. DatabaseError carries the last of them when it fails."""
    last: list[str] = []
    command = [str(find_program(name)), *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        try:
            # Universal newlines: what draws over its own line comes as lines too.
            for line in process.stdout or ():
                if words := line.strip():
                    last = [*last[-4:], words]
                    if follow is not None:
                        follow(words)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        telling = [line for line in last if "error" in line.lower()] or last[-1:] or ["no output"]
        raise DatabaseError(f"{name} failed: {' / '.join(telling)[:600]}")
