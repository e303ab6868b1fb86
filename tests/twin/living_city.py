"""A small living city of its own cluster: trees, readings, a raster and an attachment, with its log archived."""

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg
from sqlalchemy import Engine, text

from layers.grid import Grid
from layers.store.cluster import stop_cluster
from layers.store.engine import open_engine
from layers.store.migrate import migrate
from layers.store.rasters import register_raster, write_cog
from layers.store.sensing.partitions import ensure_partitions
from tests.folders import make_folder
from twin.connect import find_database
from twin.settings import Settings

CRS = "EPSG:5897"
FIRST = datetime(2026, 10, 1, tzinfo=UTC)


class LivingCity:
    """A cluster with a city in it, and the settings by which commands reach it."""

    def __init__(self) -> None:
        self.folder = make_folder("twin-living-")
        self.settings = Settings(
            database_url=None,
            run_dir=self.folder / "run",
            data_dir=self.folder / "data",
            backup_dir=self.folder / "backups",
            wal_archive=self.folder / "wal",
        )
        self.engine: Engine = open_engine(find_database(self.settings))
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # It need not outlive the machine.
            connection.execute(text("alter system set fsync = off"))
            connection.execute(text("select pg_reload_conf()"))
        migrate(self.engine, "test", CRS, {"id": "test", "crs": CRS})
        self.settings.raw_dir.mkdir(parents=True)
        (self.settings.raw_dir / "roads.csv").write_text("id,name\n1,Hoa Binh\n")
        self.add_trees(range(20))
        self.add_readings(range(48))
        self.add_raster("dem")
        self.add_attachment(b"%PDF-1.4 a photograph %%EOF")

    @property
    def url(self) -> str:
        """URL of its database."""
        return find_database(self.settings)

    @property
    def environment(self) -> dict[str, str]:
        """The settings as an environment."""
        return {
            "TWIN_RUN_DIR": str(self.settings.run_dir),
            "TWIN_DATA_DIR": str(self.settings.data_dir),
            "TWIN_BACKUP_DIR": str(self.settings.backup_dir),
            "TWIN_WAL_ARCHIVE": str(self.settings.wal_archive),
        }

    def add_trees(self, numbers: range) -> None:
        """Plant trees called T0, T1 …"""
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "insert into city.trees (id, source_id, geom) "
                    "select 'T' || n, 'test', ST_SetSRID(ST_Point(586000 + n, 1109000 + n), 5897) "
                    "from unnest(cast(:numbers as int[])) n"
                ),
                {"numbers": list(numbers)},
            )

    def add_readings(self, hours: range) -> None:
        """Store readings of one series, an hour each."""
        with self.engine.begin() as connection:
            ensure_partitions(connection, {(2026, 10)})
            connection.execute(
                text(
                    "insert into sensing.observed_property (id, name) values ('stage', 'stage') on conflict do nothing"
                )
            )
            connection.execute(text("insert into sensing.thing (id, name) values ('S1', 'S1') on conflict do nothing"))
            connection.execute(
                text(
                    "insert into sensing.datastream (id, thing_id, observed_property, unit, title_vi) "
                    "values ('S1.stage', 'S1', 'stage', 'm', '') on conflict do nothing"
                )
            )
            connection.execute(
                text(
                    "insert into sensing.observation (datastream, phenomenon_time, result) "
                    "select fid, cast(:first as timestamptz) + make_interval(hours => n), n / 10.0 "
                    "from sensing.datastream, unnest(cast(:hours as int[])) n"
                ),
                {"first": FIRST, "hours": list(hours)},
            )

    def add_raster(self, name: str) -> Path:
        """Write a raster and list it."""
        path = self.settings.processed_dir / "rasters" / f"{name}.tif"
        grid = Grid(8, 8, 586000.0, 1109000.0, 10.0, CRS)
        write_cog(path, np.ones((8, 8), np.float32), grid)
        with self.engine.begin() as connection:
            register_raster(
                connection, raster_id=name, layer_id="terrain", run_id=None, path=f"rasters/{name}.tif", times=None,
                bounds_crs84=(105.7, 10.0, 105.8, 10.1), minimum=1.0, maximum=1.0, source_id=None, fingerprint="-",
            )  # fmt: skip
        return path

    def add_attachment(self, content: bytes) -> Path:
        """Keep a file of a tree."""
        digest = hashlib.sha256(content).hexdigest()
        path = self.settings.processed_dir / "attachments" / digest[:2] / f"{digest}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "insert into inventory.attachment (layer, feature, sha256, media_type, filename, bytes, author) "
                    "values ('trees', 'T1', :sha, 'application/pdf', 'a.pdf', :bytes, 'test')"
                ),
                {"sha": digest, "bytes": len(content)},
            )
        return path

    def now(self) -> datetime:
        """Return the time of the database."""
        with self.engine.connect() as connection:
            moment: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
        return moment

    def close(self) -> None:
        """Stop the cluster and remove all of it."""
        self.engine.dispose()
        stop_cluster(self.settings.state_dir / "postgres")
        shutil.rmtree(self.folder, ignore_errors=True)


def ask(url: str, question: str) -> list[tuple[object, ...]]:
    """Return the rows of a question."""
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchall()
