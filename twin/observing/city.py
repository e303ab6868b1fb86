"""The figures of the city, its database and its processes, as whoever is scraped tells them."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from layers.access import WHOLE, asking_as
from twin.backup.standing import read_standing
from twin.observing.heart import PORTS
from twin.settings import Settings
from twin.store_figures import GROUPS, Group, select_group
from twin.store_observing import ProcessRow, list_processes

KEPT_S = 5.0
PREFIX = "twin_"
MOST_PROCESSES = 200
Look = Callable[[Connection], list[Metric]]


class CityFigures(Collector):
    """Looks into the database at most once in ``keep_s`` [s], whoever scrapes; what cannot be read is left out."""

    def __init__(self, settings: Settings, engine: Engine, *, keep_s: float = KEPT_S) -> None:
        self._settings, self._engine, self._keep_s = settings, engine, keep_s
        self._lock = threading.Lock()
        self._written: tuple[float, bytes] | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def write(self) -> bytes:
        """Return the figures in the text format of Prometheus."""
        with self._lock:
            if self._written is None or time.monotonic() - self._written[0] >= self._keep_s:
                self._written = (time.monotonic(), generate_latest(self._registry))
            return self._written[1]

    def describe(self) -> list[Metric]:
        """Return nothing: names are found by looking."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every figure, and which could not be read."""
        yield from self._measure_disk()
        yield from self._measure_backups()
        failed = GaugeMetricFamily(
            "twin_figures_unreadable", "Figures of the database that cannot be read", labels=("group",)
        )
        up = 1.0
        began = time.perf_counter()
        try:
            with asking_as(WHOLE), self._engine.connect() as connection:
                for name, look in self._list_looks():
                    try:
                        with connection.begin_nested():
                            yield from look(connection)
                    except SQLAlchemyError:
                        failed.add_metric((name,), 1.0)
        except SQLAlchemyError:
            up = 0.0
        yield failed
        yield GaugeMetricFamily("twin_database_up", "Whether the database answers", value=up)
        took = time.perf_counter() - began
        yield GaugeMetricFamily("twin_figures_duration_seconds", "Time it took to read these figures [s]", value=took)

    def _list_looks(self) -> list[tuple[str, Look]]:
        return [*((group.id, _make_look(group)) for group in GROUPS), ("processes", _look_at_processes)]

    def _measure_disk(self) -> Iterator[Metric]:
        free = GaugeMetricFamily("twin_disk_free_bytes", "Room left on a disk [B]", labels=("place",))
        size = GaugeMetricFamily("twin_disk_size_bytes", "Size of a disk [B]", labels=("place",))
        for place, folder in (("data", self._settings.data_dir), ("state", self._settings.state_dir)):
            used = shutil.disk_usage(_find_existing(folder))
            free.add_metric((place,), used.free)
            size.add_metric((place,), used.total)
        yield free
        yield size

    def _measure_backups(self) -> Iterator[Metric]:
        """Yield how old the last good backup and drill are; nothing where there never was one."""
        standing, now = read_standing(self._settings.backups_dir), time.time()
        for name, words, moment in (
            ("backup", "Since the moment the last whole backup holds [s]", standing.backup_at),
            ("drill", "Since a restore drill last went well [s]", standing.drill_at),
        ):
            family = GaugeMetricFamily(f"{PREFIX}{name}_age_seconds", words)
            if moment is not None:
                family.add_metric((), now - moment.timestamp())
            yield family
        size = GaugeMetricFamily("twin_backup_size_bytes", "What the last whole backup holds [B]")
        if standing.backup_bytes is not None:
            size.add_metric((), standing.backup_bytes)
        yield size


def _find_existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.absolute().parents) if each.exists())


def _make_look(group: Group) -> Look:
    def look(connection: Connection) -> list[Metric]:
        rows = select_group(connection, group)
        families: list[Metric] = []
        for name, words in group.figures.items():
            family = GaugeMetricFamily(PREFIX + name, words, labels=group.labels)
            for row in rows:
                if row[name] is not None:
                    family.add_metric([str(row[label]) for label in group.labels], float(row[name]))
            families.append(family)
        return families

    return look


def _look_at_processes(connection: Connection) -> list[Metric]:
    rows = list_processes(connection)[:MOST_PROCESSES]
    count = GaugeMetricFamily("twin_processes_alive", "Processes that give signs of life", labels=("part",))
    for part in ("serve", *PORTS):
        count.add_metric((part,), sum(row.is_alive and row.part == part for row in rows))
    silent = GaugeMetricFamily(
        "twin_process_silent_seconds", "Since the last sign of life of a process [s]", labels=("part", "machine", "pid")
    )
    for row in rows:
        silent.add_metric(_label(row), row.silent_s)
    return [count, silent, *_relay([row for row in rows if row.is_alive and row.figures])]


def _label(row: ProcessRow) -> tuple[str, str, str]:
    return row.part, row.machine, str(row.pid)


def _relay(rows: list[ProcessRow]) -> list[Metric]:
    """Return the figures that other processes wrote down, each with the process it is of."""
    told: dict[str, Metric] = {}
    for row in rows:
        labels = dict(zip(("part", "machine", "pid"), _label(row), strict=True))
        for family in text_string_to_metric_families(row.figures):
            name = family.name
            if not name.startswith(PREFIX):
                continue
            kept = told.setdefault(name, Metric(name, family.documentation, family.type))
            kept.samples += [
                sample._replace(labels={**sample.labels, **labels})
                for sample in family.samples
                if not sample.name.endswith("_created")
            ]
    return list(told.values())
