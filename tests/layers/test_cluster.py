"""The private cluster: made, adopted, stopped, owned by nobody important."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from layers.errors import SetupError
from layers.store.cluster import start_cluster, stop_cluster


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="twin-cluster-"))
    path.chmod(0o755)
    yield path / "postgres"
    stop_cluster(path / "postgres")
    shutil.rmtree(path, ignore_errors=True)


def test_life_of_a_cluster(folder: Path) -> None:
    url = start_cluster(folder)
    assert start_cluster(folder) == url, "a running cluster is adopted"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table kept (n integer)")
        assert connection.execute("show data_checksums").fetchone() == ("on",)
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
    assert (folder / "data").stat().st_uid != 0, "root must not own the server's data"
    assert (folder / "password").stat().st_mode & 0o077 == 0
    stop_cluster(folder)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    with psycopg.connect(start_cluster(folder)) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_a_killed_server_starts_again(folder: Path) -> None:
    start_cluster(folder)
    os.kill(int((folder / "data" / "postmaster.pid").read_text().splitlines()[0]), 9)
    with psycopg.connect(start_cluster(folder)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the cluster to another account")
def test_a_folder_closed_to_the_owner_is_named(folder: Path) -> None:
    folder.parent.chmod(0o700)
    with pytest.raises(SetupError, match=r"cannot reach .*chmod o\+x"):
        start_cluster(folder)
