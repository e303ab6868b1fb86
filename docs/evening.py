"""``python -m docs.evening``: the README's evening of spring tide and rain, with pumps and without, made again.

Makes the demo city in a database of its own, runs ``flood-scenario`` twice, draws the two maps and writes the figure
and the table of streets between the markers of README.md.
"""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from docs.evening_picture import Ground, Panel, draw_page, take_picture
from layers.ingest.catalog import read_catalog
from layers.registry import read_raster_layer
from layers.store.cluster import start_cluster, stop_cluster
from layers.store.engine import open_engine
from layers.store.migrate import migrate
from twin.city import City
from twin.commands.load import How, load_all
from twin.demo.city import generate_city
from twin.process import Outputs, Quiet, parse_inputs
from twin.progress import show_progress
from twin.registry import read_process
from twin.settings import ROOT, read_settings

README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "images" / "evening.jpg"
BEGIN, END = "<!-- evening: written by python -m docs.evening -->", "<!-- evening ends -->"

START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
"""16:00 in Can Tho; the demo's river is highest at 17:50, at spring tide."""

LOCAL = timedelta(hours=7)
INPUTS: dict[str, Any] = {
    "base_time": START.isoformat(),
    "horizon_hours": 12.0,
    "cell_size": 10.0,
    "stage_offset": 0.3,
    "storm_depth": 100.0,
    "storm_hours": 3.0,
    "sewer": "layers",
}
"""Wind from the sea adds 0.3 m to the forecast tide; tide gates work by themselves, sewers are computed."""

CLOSED = 0.3
"""Depth [m] from which the hours of a street count: cars do not pass."""

STREETS = 10
SHOWN_ROADS = ("primary", "secondary", "tertiary", "residential")
HEADINGS = (
    "street",
    "deepest, pumps running [m]",
    "pumps off [m]",
    f"hours above {CLOSED:g} m, running",
    "off",
    "under water, running [m]",
    "off [m]",
)


@dataclass(frozen=True, slots=True, eq=False)
class Evening:
    """The same evening with its pumps and without, and what lies under its water; ``pumps`` are x, y [m] (n, 2)."""

    ground: Ground
    pumps: NDArray[np.float64]
    running: Outputs
    off: Outputs


def main() -> int:
    """Run the evening twice, draw it and write it into the README."""
    with make_demo_city() as city:
        evening = run_evening(city)
    take_picture(build_page(evening), PICTURE)
    README.write_text(replace_between(README.read_text(encoding="utf-8"), write_section(evening)), encoding="utf-8")
    return 0


@contextmanager
def make_demo_city() -> Iterator[City]:
    """Yield the demo city, in a private database that ends with it, with readings up to the start of the evening."""
    folder = Path(tempfile.mkdtemp(prefix="twin-evening-"))
    # The owner of the cluster is not the owner of the folder.
    folder.chmod(0o755)
    settings = read_settings().model_copy(update={"data_dir": folder / "data", "run_dir": folder})
    try:
        with show_progress("Demo city") as report:
            path = generate_city(
                settings.raw_dir / "demo", end=START, progress=lambda words, share: report(share, words)
            )
        catalog = read_catalog(path)
        engine = open_engine(start_cluster(folder / "postgres"))
        migrate(engine, catalog.city.id, catalog.city.crs, catalog.city.model_dump(mode="json"))
        load_all(engine, settings, catalog.sources, path.parent, How())
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            yield City(connection, settings.processed_dir, START)
        engine.dispose()
    finally:
        stop_cluster(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


def run_evening(city: City) -> Evening:
    """Return both runs of the evening."""
    links = city.layer("drainage_links", columns=["link_type"])
    pumps = links[links["link_type"] == "pump"]
    middles = shapely.line_interpolate_point(pumps.geometry.to_numpy(), 0.5, normalized=True)
    running = run_scenario(city, "Pumps running")
    off = run_scenario(city, "Pumps off", pumps_off=sorted(pumps["id"]))
    terrain, grid = city.raster("terrain", cell_size=INPUTS["cell_size"])
    roads = city.layer("road_links", columns=["road_class"])
    streets = roads[roads["road_class"].isin(SHOWN_ROADS)]
    ground = Ground(terrain, grid, city.layer("water_bodies", columns=[]), streets)
    return Evening(ground, shapely.get_coordinates(middles), running, off)


def run_scenario(city: City, title: str, **changes: Any) -> Outputs:
    """Return ``flood-scenario`` with the inputs of the evening and ``changes``."""
    process = read_process("flood-scenario")
    with show_progress(title) as report:
        return process.compute(city, parse_inputs(process, {**INPUTS, **changes}), _Followed(report))


class _Followed(Quiet):
    def __init__(self, report: Any) -> None:
        self._report = report

    def report(self, fraction: float, message: str) -> None:
        """Move the bar."""
        self._report(fraction, message)


def build_page(evening: Evening) -> str:
    """Return the page of the picture."""
    layer = read_raster_layer("flood_depth_max")
    panels = [
        Panel(titles, _say_impact(outputs.summary), outputs.rasters[layer.id].array, evening.pumps, running)
        for titles, outputs, running in (
            (("Bơm chạy", "Pumps running"), evening.running, True),
            (("Bơm dừng", "Pumps off"), evening.off, False),
        )
    ]
    peak, clock = evening.running.summary["peak_stage"], _read_clock(evening.running)
    rain = f"{INPUTS['storm_depth']:g} mm", f"{INPUTS['storm_hours']:g}"
    words = (
        f"Triều cường và mưa một buổi chiều: sông {peak:.2f} m lúc {clock}, mưa {rain[0]} trong {rain[1]} giờ".replace(
            ".", ","
        ),
        f"One evening of spring tide and rain: river {peak:.2f} m at {clock}, {rain[0]} of rain in {rain[1]} h",
        "Quận mẫu bên sông Hậu, dữ liệu mô phỏng. Sample district on the Hau, synthetic data.",
    )
    return draw_page(evening.ground, panels, layer, words)


def _say_impact(summary: Mapping[str, Any]) -> tuple[str, str]:
    people, buildings, closed = summary["people"], summary["buildings"], summary["closed_road_length"] / 1000.0
    en = f"{people:,} people · {buildings:,} buildings · {closed:.1f} km of road closed to cars"
    dots = {ord(","): ".", ord("."): ","}
    vi = f"{people:,} người · {buildings:,} nhà · {closed:.1f} km đường cấm xe".translate(dots)
    return vi, en


def _read_clock(outputs: Outputs) -> str:
    return f"{datetime.fromisoformat(outputs.summary['peak_time']) + LOCAL:%H:%M}"


def write_section(evening: Evening) -> str:
    """Return the README's lines about the evening: figure, what was run, the streets."""
    summary, without = evening.running.summary, evening.off.summary
    table = tabulate_streets(evening.running.features["flood_assets"], evening.off.features["flood_assets"])
    spared = without["people"] - summary["people"]
    kept = (without["closed_road_length"] - summary["closed_road_length"]) / 1000.0
    error = max(_read_error(evening.running), _read_error(evening.off))
    sewers = max(abs(each["sewer"]["swmm_continuity_error"]) for each in (summary, without))
    story = (
        f"Spring tide with {INPUTS['stage_offset']:g} m of surge, {summary['peak_stage']:.2f} m in the river at "
        f"{_read_clock(evening.running)}, and {INPUTS['storm_depth']:g} mm of rain from 16:00 to 19:00 over the demo "
        "city. Tide gates work by themselves, the sewers under the streets are computed with SWMM, 10 m cells, 12 h. "
        f"The pumps keep the water from {spared:,} people and {kept:.1f} km of road open to cars. The account of the "
        f"water on the surface closes to rounding ({error:.0e}), that of the sewers to {sewers:.1%}."
    )
    end = (
        f"The {len(table)} streets, alleys left out, that the pumps help most. `python -m docs.evening` makes figure "
        "and table again. [What the flood engine does](docs/flood.md)."
    )
    figure = "![Deepest water of one evening on two maps: pumps running, pumps off](docs/images/evening.jpg)"
    return "\n".join([figure, "", story, "", *format_table(table), "", end])


def _read_error(outputs: Outputs) -> float:
    return 0.0 if outputs.balance is None else abs(outputs.balance["relative_error"])


def tabulate_streets(running: gpd.GeoDataFrame, off: gpd.GeoDataFrame, count: int = STREETS) -> pd.DataFrame:
    """Return the streets that pumps help most, by depth: name, then depth [m], hours and wet length [m], running, off.

    Depth and hours are those of a street's worst link, the length is of all its links.
    """
    pair = measure_streets(running).add_suffix("_running"), measure_streets(off).add_suffix("_off")
    both = pd.concat(pair, axis=1).fillna(0.0)
    both["saved"] = both["depth_off"] - both["depth_running"]
    worst = both.sort_values(["saved", "length_off"], ascending=False).head(count)
    order = [f"{name}_{run}" for name in ("depth", "hours", "length") for run in ("running", "off")]
    return worst.loc[worst["saved"] > 0.0, order].rename_axis("street").reset_index()


def measure_streets(assets: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return depth [m], hours above CLOSED and length under water [m] of each named street among touched assets.

    Alleys are left out: there are too many for a short table.
    """
    roads = assets[(assets["asset_layer"] == "road_links") & assets["category"].isin(SHOWN_ROADS)]
    streets = roads.groupby("asset_name")
    return pd.DataFrame(
        {
            "depth": streets["depth_max"].max(),
            "hours": streets["duration"].max() / 3600.0,
            "length": streets["length"].sum(),
        }
    )


def format_table(streets: pd.DataFrame) -> list[str]:
    """Return the streets as lines of a Markdown table."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"|---|{'---:|' * (len(HEADINGS) - 1)}"]
    for name, *values in streets.itertuples(index=False):
        deep_on, deep_off, hours_on, hours_off, long_on, long_off = (float(value) for value in values)
        depths, hours = f"{deep_on:.2f} | {deep_off:.2f}", f"{hours_on:.1f} | {hours_off:.1f}"
        lines.append(f"| {name} | {depths} | {hours} | {long_on:.0f} | {long_off:.0f} |")
    return lines


def replace_between(page: str, section: str) -> str:
    """Return the page with ``section`` between its markers. Raises ValueError where they are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md has no section between '{BEGIN}' and '{END}'")
    return f"{before}{BEGIN}\n{section}\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main())
