"""Isolation of a break: which valves to close, in which order, and who is without water then."""

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np

from layers.schema import Text
from network.graph import Index
from twin.networks.asking import find_places
from twin.networks.city_graph import CityGraph
from twin.networks.isolating import CityIsolation, choose_parts, find_valve_nodes, isolate
from twin.networks.isolating_report import (
    describe_feeds,
    describe_outage,
    describe_valves,
    list_customers,
    list_named,
)
from twin.networks.kept import KeptTrace, stamp_trace
from twin.networks.results import measure_extent
from twin.networks.results_frames import LazyFrames, build_link_frame, build_node_frame
from twin.networks.results_items import find_members, mark_items
from twin.networks.traces import Found
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe
from twin.processes.trace import (
    NETWORKS,
    Network,
    PlaceWord,
    describe_configuration,
    describe_network,
    describe_tolerance,
)

MOST_BREAKS, MOST_VALVES, MOST_CUSTOMERS = 20, 200, 5_000


class IsolationInputs(Inputs):
    """What is broken, and what is known of the valves."""

    commodity: Network = describe_network()
    starts: tuple[PlaceWord, ...] = describe(
        Text("Chỗ hỏng", "Break"),
        Text(
            "Ống, nút hỏng LỚP/MÃ (water_pipes/WP-00012) hoặc vị trí KINH ĐỘ,VĨ ĐỘ.",
            "Broken items as LAYER/ITEM (water_pipes/WP-00012), or places as LON,LAT.",
        ),
        min_length=1,
        max_length=MOST_BREAKS,
    )
    whole_pipe: bool = describe(
        Text("Cả ống", "Whole pipe"),
        Text(
            "Cô lập mọi đoạn của ống hỏng; nếu không, chỉ đoạn dài nhất giữa các van (hoặc đoạn gần vị trí đã cho).",
            "Isolate all parts of a broken pipe; else only the longest between its valves (or the one at the place).",
        ),
        default=False,
    )
    tolerance: float = describe_tolerance()
    stuck: tuple[PlaceWord, ...] = describe(
        Text("Van không đóng được", "Valves that cannot be closed"),
        Text(
            "Van kẹt, bị vùi lấp hoặc không tìm thấy, ngoài những van đã ghi nhận.",
            "Stuck, buried or not found, beside those the inventory knows.",
        ),
        default=(),
        max_length=MOST_VALVES,
    )
    closed: tuple[PlaceWord, ...] = describe(
        Text("Van đang đóng", "Valves closed already"),
        Text("Van đã đóng, ngoài những van đã ghi nhận.", "Closed now, beside those the inventory knows."),
        default=(),
        max_length=MOST_VALVES,
    )
    list_customers: int = describe(
        Text("Liệt kê khách hàng", "Customers to list"),
        Text("Số khách hàng mất nước được liệt kê kèm địa chỉ.", "So many customers without water, with addresses."),
        unit="1",
        default=0,
        ge=0,
        le=MOST_CUSTOMERS,
    )
    configuration: str | None = describe_configuration()


def compute(view: CityView, inputs: IsolationInputs, progress: Progress) -> Outputs:
    """Isolate the break; see ``twin.networks.isolating``."""
    city = view.network(inputs.commodity)
    progress.report(0.3, "tìm chỗ hỏng — finding the break")
    places = find_places(view, city, inputs.starts, tolerance=inputs.tolerance, name="starts")
    if not inputs.whole_pipe:
        places = choose_parts(city, places)
    stuck = find_valve_nodes(city, inputs.stuck, "stuck")
    closed = find_valve_nodes(city, inputs.closed, "closed")
    progress.report(0.5, "tìm van — finding the valves")
    answer = isolate(city, places, closed=closed, stuck=stuck)
    dry = answer.dry
    figures: dict[str, Any] = {
        "commodity": inputs.commodity,
        "kind": "isolation",
        "stamp": city.stamp,
        "unresolved": city.unresolved,
        "starts": list(places.told),
        "valves": describe_valves(view, city, answer),
        "without_water": describe_outage(view, city, dry),
        "isolated": describe_outage(view, city, answer.isolated),
        "behind": describe_outage(view, city, answer.behind),
        "named": list_named(view, city, dry),
        "feeds": describe_feeds(view, city, answer),
        "dead_ends": _describe_dead_ends(city, answer),
        "bounds": measure_extent(view, city, Found(np.append(dry.nodes, answer.close), dry.links)),
    }
    if inputs.list_customers and "customers" in city.equipment_kinds:
        figures["customers"] = list_customers(view, city, dry, inputs.list_customers)
    told = Found(dry.nodes, dry.links, answer.close)
    members = find_members(view, city, told, mark_items(city, told))
    stamp = stamp_trace(city.stamp, view.now)
    kept = KeptTrace(PROCESS.id, inputs.commodity, inputs.model_dump(mode="json"), stamp, members, figures)
    network = NETWORKS[inputs.commodity]
    return Outputs(
        title=Text(f"Cô lập {', '.join(inputs.starts)[:80]}: {network.vi}", f"Isolation: {network.en}"),
        base_time=view.now,
        horizon_hours=0.0,
        features=_build_frames(city, view.crs, answer),
        summary={"id": kept.id, **figures},
        parameters={"stamp": city.stamp},
        trace=kept,
    )


def _describe_dead_ends(city: CityGraph, answer: CityIsolation) -> list[dict[str, Any]]:
    return [
        {
            "valve": f"{city.layers[city.node_layers[end.valve]]}/{city.node_items[end.valve]}",
            "length": round(end.length, 1),
            "items": list(
                dict.fromkeys(
                    f"{city.layers[number]}/{item}"
                    for number, item in zip(
                        city.link_layers[end.links].tolist(), city.link_items[end.links].tolist(), strict=True
                    )
                )
            ),
        }
        for end in answer.dead_ends
    ]


def _build_frames(city: CityGraph, crs: str, answer: CityIsolation) -> LazyFrames:
    outage, isolation = answer.outage, answer.isolation

    def make_outage() -> gpd.GeoDataFrame:
        links = answer.dry.links
        roles = np.where(outage.isolated_links[links], "isolated", "behind")
        return build_link_frame(city, crs, links, role=roles)

    def make_valves() -> gpd.GeoDataFrame:
        groups: tuple[tuple[str, Index], ...] = (
            ("close", answer.close[: answer.needed]),
            ("close_idle", answer.close[answer.needed :]),
            ("already_closed", isolation.already_closed),
            ("stuck", isolation.passed),
            ("feed", outage.feeds),
            ("source", outage.sources_inside),
        )
        nodes = np.concatenate([chosen for _, chosen in groups]).astype(np.int32)
        roles = np.concatenate([np.full(chosen.size, role, object) for role, chosen in groups])
        order = np.arange(1, nodes.size + 1)
        frame = build_node_frame(
            city, crs, nodes, role=roles, position=[k if k <= answer.close.size else None for k in order.tolist()]
        )
        # A closed valve around the break may also be one that feeds what is behind.
        return frame.assign(id=frame["role"] + "." + frame["id"])

    makers: dict[str, Callable[[], gpd.GeoDataFrame]] = {
        "isolation_valves": make_valves,
        "isolation_outage": make_outage,
    }
    return LazyFrames(makers)


PROCESS = Process(
    id="isolation",
    title=Text("Cô lập sự cố", "Isolation of a break"),
    description=Text(
        "Van cần đóng theo thứ tự, kể cả khi có van kẹt hoặc đang đóng; khách hàng, trụ chữa cháy, bệnh viện, trường "
        "học mất nước; nguồn cấp thay thế. Kết quả dùng được làm bộ lọc in_trace.",
        "Valves to close in order, heeding those that are stuck or closed; customers, hydrants, hospitals and schools "
        "without water; alternative feeds. What is without water serves as the filter in_trace.",
    ),
    inputs=IsolationInputs,
    outputs=("isolation_valves", "isolation_outage"),
    compute=compute,
    immediate=True,
)
