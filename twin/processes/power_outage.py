"""Power outage: what failed or flooded equipment of the grid leaves without power."""

from collections import Counter
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
from pydantic import Field

from layers.errors import InputError, NotFoundError
from layers.schema import Text
from twin.lighting.outage import Loss, find_outage, read_flooded, read_submerged
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe

MOST_FAILED = 2_000
ItemId = Annotated[str, Field(min_length=1, max_length=80)]


def _describe_items(title: Text, description: Text) -> Any:
    return describe(title, description, default=(), max_length=MOST_FAILED)


class PowerOutageInputs(Inputs):
    """What has failed, or how high the water stands."""

    substations: tuple[ItemId, ...] = _describe_items(
        Text("Trạm trung gian hỏng", "Failed substations"), Text("Mã lớp substations.", "Ids of layer substations.")
    )
    transformers: tuple[ItemId, ...] = _describe_items(
        Text("Trạm biến áp hỏng", "Failed transformers"), Text("Mã lớp transformers.", "Ids of layer transformers.")
    )
    lines: tuple[ItemId, ...] = _describe_items(
        Text("Đường dây hỏng", "Failed lines"), Text("Mã lớp power_lines.", "Ids of layer power_lines.")
    )
    flood_run: str | None = describe(
        Text("Lần chạy ngập", "Flood run"),
        Text("Thiết bị mà lần chạy này làm ngập thì mất điện.", "Equipment that this run puts under water is lost."),
        default=None,
        max_length=80,
    )
    stage: float | None = describe(
        Text("Mực nước", "Stage"),
        Text(
            "Thiết bị thấp hơn mực nước này thì mất điện, như thể nước phẳng khắp thành phố.",
            "Equipment below this level is lost, as if the water stood level over the city.",
        ),
        unit="m",
        default=None,
        ge=-10.0,
        le=100.0,
    )


def compute(city: CityView, inputs: PowerOutageInputs, progress: Progress) -> Outputs:
    """Return all that has no power. Raises InputError where nothing fails, or something that is not there."""
    failed = {"substations": inputs.substations, "transformers": inputs.transformers, "power_lines": inputs.lines}
    if not any(failed.values()) and inputs.flood_run is None and inputs.stage is None:
        raise InputError("nothing has failed", hint="name substations, transformers, lines, flood_run or stage")
    progress.report(0.1, "mạng điện — power network")
    water = {} if inputs.flood_run is None else read_flooded(city, inputs.flood_run)
    if inputs.stage is not None:
        for key, depth in read_submerged(city, inputs.stage).items():
            water[key] = max(depth, water.get(key, 0.0))
    try:
        outage = find_outage(city, failed, water)
    except NotFoundError as error:
        raise InputError(error.message, hint=error.hint) from error
    counts = Counter(each.layer for each in outage.losses)
    vital = [each for each in outage.losses if each.importance == "vital"]
    return Outputs(
        title=Text(f"Mất điện: {outage.customers} khách hàng", f"Power outage: customers ({outage.customers})"),
        base_time=city.now,
        horizon_hours=0.0,
        features={"outage_assets": _to_features(city, outage.losses)},
        summary={
            "customers": outage.customers,
            "assets": dict(counts),
            "vital": [
                {"layer": each.layer, "id": each.item, "name": each.name, "because_of": each.cause_id}
                for each in vital[:200]
            ],
            "flooded": sum(each.cause == "flooded" for each in outage.losses),
            "causes": dict(Counter(each.cause_id for each in outage.losses if each.cause_id).most_common(50)),
        },
        parameters={"failed": {layer: list(items) for layer, items in failed.items() if items}},
    )


def _to_features(city: CityView, losses: list[Loss]) -> gpd.GeoDataFrame:
    rows = [
        {
            "id": f"{each.layer}.{each.item}",
            "asset_layer": each.layer,
            "asset_id": each.item,
            "asset_name": each.name,
            "importance": each.importance,
            "cause": each.cause or "upstream",
            "cause_id": each.cause_id or None,
            "transformer_id": each.transformer or None,
            "customers": each.customers,
            "water_above": None if np.isnan(each.water) else round(each.water, 3),
        }
        for each in losses
    ]
    columns = [
        "id", "asset_layer", "asset_id", "asset_name", "importance", "cause", "cause_id", "transformer_id", "customers",
        "water_above",
    ]  # fmt: skip
    return gpd.GeoDataFrame(rows, columns=columns, geometry=[each.point for each in losses], crs=city.crs)


PROCESS = Process(
    id="power-outage",
    title=Text("Mất điện", "Power outage"),
    description=Text(
        "Trạm, đường dây hỏng hay thiết bị ngập thì bệnh viện, bơm, tủ chiếu sáng, đèn giao thông nào mất điện.",
        "Which customers, hospitals, pumps, cabinets and signals failed or flooded equipment leaves without power.",
    ),
    inputs=PowerOutageInputs,
    outputs=("outage_assets",),
    compute=compute,
    immediate=True,
)
