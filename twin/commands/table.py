"""The table of commands: each one's name, module and line of help; a module is imported when its command is used.

Numba, GDAL and the queue take seconds to import, and most commands need none or one of them.
"""

from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group


class Entry(NamedTuple):
    """Where a command lives, and its line in ``twin --help``."""

    module: str
    help: str


COMMANDS: dict[str, Entry] = {
    "up": Entry("twin.commands.up", "Start all of it — database, city, first forecast, worker, server — until Ctrl-C."),
    "doctor": Entry(
        "twin.commands.doctor",
        "Say what works, what is missing or unsafe and what to type; exit code 1 when something is.",
    ),
    "demo": Entry(
        "twin.commands.demo", "Generate the synthetic demo city: terrain, layers, sixty days of readings, catalogue."
    ),
    "db": Entry("twin.commands.db", "The database: start, stop, migrate, status."),
    "serve": Entry(
        "twin.commands.serve",
        "Serve the map and the API until stopped; only to this machine unless an address is named.",
    ),
    "run": Entry("twin.commands.run", "Carry out a process and print what came out."),
    "jobs": Entry("twin.commands.jobs", "Runs that wait, work and are over: list, show, cancel, prune."),
    "accounts": Entry("twin.commands.accounts", "Tài khoản — accounts: add, list, change, remove."),
    "keys": Entry("twin.commands.keys", "Khóa API — keys of machines and devices: add, list, revoke."),
    "worker": Entry("twin.commands.worker", "Carry out the runs in the queue, until stopped."),
    "network": Entry("twin.commands.network", "Mạng lưới — the networks of the city: list, build, check."),
    "roads": Entry("twin.commands.roads", "Mạng đường — the roads: list, check, export."),
    "transit": Entry(
        "twin.commands.transit",
        "Giao thông công cộng — public transport: import, check and export GTFS, live positions, departures.",
    ),
    "trace": Entry(
        "twin.commands.trace", "Truy vết mạng lưới — trace a network: upstream, downstream, isolation, paths …"
    ),
    "route": Entry(
        "twin.commands.route",
        "Tìm đường — routes: ways, areas within reach, matrices of times, tracks matched to roads.",
    ),
    "sensors": Entry("twin.commands.sensors", "Sensors: their series and latest readings."),
    "alarms": Entry(
        "twin.commands.alarms", "Cảnh báo — alarms: rules, list, show, acknowledge, shelve, comment, watch."
    ),
    "forecast": Entry(
        "twin.commands.forecast", "Dự báo mực nước — forecasts: issue, list, skill, rain, loop from readings to floods."
    ),
    "scene": Entry(
        "twin.commands.scene",
        "Cảnh 3D — the city in 3D: build writes 3D Tiles of a layer, page a run as one web page.",
    ),
    "lighting": Entry(
        "twin.commands.lighting",
        "Chiếu sáng công cộng — public lighting: circuits, faults, energy, programs.",
    ),
    "load": Entry("twin.commands.load", "Nạp dữ liệu vào thành phố — load data into the city."),
    "check": Entry(
        "twin.commands.check",
        "Kiểm tra dữ liệu — check the inventory's rules and what must always hold; exit code 1 when there are errors.",
    ),
    "backup": Entry("twin.commands.backup", "Sao lưu — back up database and files: make one, list, check, drill."),
    "restore": Entry(
        "twin.commands.restore",
        "Phục hồi thành phố từ bản sao lưu — restore the city from a backup, at its moment or a later one.",
    ),
    "audit": Entry("twin.commands.audit", "Nhật ký kiểm toán — the audit: list, verify, export, seal, retire."),
    "personal": Entry(
        "twin.commands.personal",
        "Dữ liệu cá nhân — owners of land: load, show, find, export and erase on request.",
    ),
    "history": Entry("twin.commands.history", "Các phiên bản của một đối tượng — all versions of a feature."),
    "revert": Entry("twin.commands.revert", "Hoàn tác một lần biên tập — take an edit back."),
    "drainage": Entry(
        "twin.commands.drainage", "Thoát nước — the drains: run SWMM, series, long profiles, capacity, critical pipes."
    ),
    "swmm": Entry("twin.commands.swmm", "Mô hình thoát nước — SWMM models: import, export, list, remove."),
    "bake": Entry(
        "twin.commands.bake",
        "Đóng gói ô bản đồ vào một tệp — bake tiles of the layers into one PMTiles file.",
    ),
    "export": Entry("twin.commands.export", "Xuất một lớp ra tệp — write a layer to a file."),
    "qgis": Entry(
        "twin.commands.qgis", "Dự án QGIS của thành phố — write a QGIS project of all layers with their styles."
    ),
    "find": Entry("twin.commands.find", "Tìm theo tên, địa chỉ, mã — find features by name, address, code or id."),
    "count": Entry("twin.commands.count", "Đếm, cộng theo nhóm — count, measure and sum features in groups."),
    "layers": Entry("twin.commands.layers", "Các lớp dữ liệu — the layers: id, title, geometry, count, sources."),
    "quarantine": Entry(
        "twin.commands.quarantine", "Dòng bị loại — rows that were not loaded, and why; mend them, load them again."
    ),
    "work": Entry("twin.commands.work", "Phiếu việc — work orders: list, show, open, move."),
    "water": Entry(
        "twin.commands.water",
        "Cấp nước — water supply: run, age, fire flow, balance of metered areas; EPANET models in and out.",
    ),
    "traffic": Entry(
        "twin.commands.traffic", "Giao thông — traffic: road works, counts, the state now, incidents, speeds."
    ),
    "leaks": Entry(
        "twin.commands.leaks", "Rò rỉ — leaks: detect them from pressures and inflows, with the pipes to walk."
    ),
    "warnings": Entry(
        "twin.commands.warnings",
        "Cảnh báo gửi đi — warnings that leave the house: drafts, CAP messages, deliveries.",
    ),
}


class LazyGroup(TyperGroup):
    """Knows every command by its line of help and imports the one that is called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, entry in COMMANDS.items():
            self.commands[name] = TyperCommand(name, help=entry.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that ``args`` begin with, imported now, and what follows it."""
        name, known, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name in COMMANDS else known, rest


def load_command(name: str) -> Any:
    """Import the module of command ``name`` and return what it registers."""
    own = typer.Typer(pretty_exceptions_enable=False)
    import_module(COMMANDS[name].module).register(own)
    return get_group(own).commands[name]
