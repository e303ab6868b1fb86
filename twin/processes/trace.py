"""Trace of a network: from places along pipes, sewers or cables, as far as the question goes."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from layers.schema import Text
from twin.networks.asking import Places, find_places, read_openness
from twin.networks.city_graph import CityGraph
from twin.networks.handing import to_node_link
from twin.networks.kept import KeptTrace, stamp_trace
from twin.networks.results import (
    compute_results,
    count_equipment,
    count_layers,
    measure_extent,
    measure_length,
    parse_results,
)
from twin.networks.results_frames import build_trace_frames
from twin.networks.results_items import find_members, mark_items
from twin.networks.traces import Found, Kind, trace_city
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe

MOST_STARTS, MOST_RESULTS, MOST_FILTERS = 1_000, 20, 20
Network = Literal["water", "drainage", "sewer", "lighting", "power"]
NETWORKS = {
    "water": Text("Cấp nước", "Water supply"),
    "drainage": Text("Thoát nước mưa", "Drainage"),
    "sewer": Text("Thoát nước thải", "Sewers"),
    "lighting": Text("Chiếu sáng", "Lighting"),
    "power": Text("Điện", "Power"),
}
KIND_TITLES = {
    "connected": Text("Liên thông", "Connected"),
    "subnetwork": Text("Phần mạng do nguồn cấp", "Subnetwork of a source"),
    "upstream": Text("Thượng lưu", "Upstream"),
    "downstream": Text("Hạ lưu", "Downstream"),
    "loops": Text("Mạch vòng", "Loops"),
    "shortest_path": Text("Đường ngắn nhất", "Shortest path"),
    "critical_links": Text("Đoạn không có đường thay thế", "Links without another way"),
    "paths_between": Text("Mọi đường giữa hai điểm", "All paths between two places"),
}
PlaceWord = Annotated[str, Field(min_length=1, max_length=300)]
FilterWord = Annotated[str, Field(min_length=1, max_length=4_000)]


def list_conditions(given: Any) -> Any:
    """Return filters as a list: one alone, or an object of filters by layer, is taken too."""
    if isinstance(given, str):
        return (given,) if given.strip() else ()
    if isinstance(given, dict):
        return tuple(f"{layer_id}: {condition}" for layer_id, condition in given.items())
    return given


FilterWords = Annotated[tuple[FilterWord, ...], BeforeValidator(list_conditions)]


def describe_network() -> Any:
    """Return the field that chooses the network."""
    return describe(Text("Mạng", "Network"), Text("Mạng được hỏi.", "The network that is asked."), choices=NETWORKS)


def describe_tolerance() -> Any:
    """Return the field of how far a place may lie from a link [m]."""
    return describe(
        Text("Khoảng bắt điểm", "Snapping distance"),
        Text("Điểm được bắt vào tuyến gần nhất trong khoảng này.", "Places are snapped to the nearest link so near."),
        unit="m",
        default=25.0,
        ge=0.0,
        le=500.0,
    )


def describe_configuration() -> Any:
    """Return the field that names kept inputs."""
    return describe(
        Text("Cấu hình", "Configuration"),
        Text(
            "Tên bộ tham số đã lưu; tham số cho ở đây được ưu tiên.",
            "The name of kept inputs; those that are given here come before them.",
        ),
        default=None,
        max_length=64,
    )


class TraceInputs(Inputs):
    """What is traced."""

    commodity: Network = describe_network()
    kind: Kind = describe(
        Text("Kiểu truy vết", "Kind"), Text("Câu hỏi đặt cho mạng.", "What the network is asked."), choices=KIND_TITLES
    )
    starts: tuple[PlaceWord, ...] = describe(
        Text("Điểm đầu", "Starts"),
        Text(
            "Đối tượng LỚP/MÃ (water_pipes/WP-00012) hoặc vị trí KINH ĐỘ,VĨ ĐỘ.",
            "Items as LAYER/ITEM (water_pipes/WP-00012), or places as LON,LAT.",
        ),
        default=(),
        max_length=MOST_STARTS,
    )
    ends: tuple[PlaceWord, ...] = describe(
        Text("Điểm cuối", "Ends"),
        Text("Chỉ cho đường đi giữa hai điểm.", "Of paths between two places only."),
        default=(),
        max_length=1,
    )
    tolerance: float = describe_tolerance()
    barriers: FilterWords = describe(
        Text("Rào chắn", "Barriers"),
        Text(
            "Đối tượng truy vết không đi qua: LỚP: CQL2, hoặc CQL2 cho mọi lớp có thuộc tính đó.",
            "What the trace does not pass: LAYER: CQL2, or CQL2 for every layer that has its properties.",
        ),
        default=(),
        max_length=MOST_FILTERS,
    )
    filter: FilterWords = describe(
        Text("Điều kiện", "Filter"),
        Text(
            "Chỉ đi qua đối tượng thỏa điều kiện: LỚP: CQL2, hoặc CQL2 cho mọi lớp có thuộc tính đó.",
            "Only what passes is walked: LAYER: CQL2, or CQL2 for every layer that has its properties.",
        ),
        default=(),
        max_length=MOST_FILTERS,
    )
    through_closed: bool = describe(
        Text("Đi qua van đóng", "Through what is closed"),
        Text("Đi qua cả van, ống, cầu dao đang đóng.", "Pass valves, pipes and switches that are closed, too."),
        default=False,
    )
    results: tuple[PlaceWord, ...] = describe(
        Text("Kết quả", "Results"),
        Text(
            "count, length, volume, area, population, customers; sum, min, max, mean, worst của một thuộc tính: "
            "mean(diameter), worst(water_pipes.condition).",
            "count, length, volume, area, population, customers; sum, min, max, mean, worst of a property: "
            "mean(diameter), worst(water_pipes.condition).",
        ),
        default=("length",),
        max_length=MOST_RESULTS,
    )
    graph: bool = describe(
        Text("Đồ thị", "Graph"),
        Text(
            "Kèm phần mạng giữa các nút tìm được, node-link JSON của networkx, tối đa 20 000 nút.",
            "Also the part of the network between the nodes found, as node-link JSON of networkx, up to 20,000 nodes.",
        ),
        default=False,
    )
    configuration: str | None = describe_configuration()


def compute(view: CityView, inputs: TraceInputs, progress: Progress) -> Outputs:
    """Trace the network; see ``twin.networks.traces``."""
    results = parse_results(inputs.results)
    city = view.network(inputs.commodity)
    progress.report(0.3, "tìm điểm đầu — finding the starts")
    starts = find_places(view, city, inputs.starts, tolerance=inputs.tolerance, name="starts")
    ends = find_places(view, city, inputs.ends, tolerance=inputs.tolerance, name="ends")
    openness = read_openness(
        view, city, barriers=inputs.barriers, passing=inputs.filter, through_closed=inputs.through_closed
    )
    progress.report(0.5, "truy vết — tracing")
    found = trace_city(city, inputs.kind, starts, ends, openness)
    progress.report(0.7, "tổng hợp — adding up")
    marked = mark_items(city, found)
    figures = _summarize(view, city, inputs, found, starts, ends) | {
        "counts": count_layers(marked),
        "results": compute_results(view, city, found, results),
    }
    kept = KeptTrace(
        PROCESS.id,
        inputs.commodity,
        inputs.model_dump(mode="json"),
        stamp_trace(city.stamp, view.now),
        find_members(view, city, found, marked),
        figures,
    )
    graph = {"graph": to_node_link(city, found.nodes)} if inputs.graph else {}
    kind, network = KIND_TITLES[inputs.kind], NETWORKS[inputs.commodity]
    return Outputs(
        title=Text(f"{kind.vi}: {network.vi}", f"{kind.en}: {network.en}"),
        base_time=view.now,
        horizon_hours=0.0,
        features=build_trace_frames(city, view.crs, inputs.kind, found, starts, ends),
        summary={"id": kept.id, **figures, **graph},
        parameters={"stamp": city.stamp},
        trace=kept,
    )


def _summarize(
    view: CityView, city: CityGraph, inputs: TraceInputs, found: Found, starts: Places, ends: Places
) -> dict[str, Any]:
    """Return the figures that every trace has."""
    nodes, _ = found.mark(city.graph)
    told: dict[str, Any] = {
        "commodity": inputs.commodity,
        "kind": inputs.kind,
        "stamp": city.stamp,
        "unresolved": city.unresolved,
        "starts": list(starts.told),
        "ends": list(ends.told),
        "link_count": int(found.links.size),
        "node_count": int(found.nodes.size),
        "barrier_count": int(found.barriers.size),
        "source_count": int(nodes[city.sources].sum()),
        "sink_count": int(nodes[city.sinks].sum()),
        "length": measure_length(city, found),
        "bounds": measure_extent(view, city, found),
        "equipment": count_equipment(city, found),
    }
    if inputs.kind == "shortest_path":
        told["path_length"] = None if found.length is None else round(found.length, 3)
    return told


PROCESS = Process(
    id="trace",
    title=Text("Truy vết mạng lưới", "Trace of a network"),
    description=Text(
        "Từ một điểm đi theo ống, cống, cáp: thượng lưu, hạ lưu, liên thông, mạch vòng, đường đi; cộng chiều dài, thể "
        "tích, số dân, khách hàng. Kết quả dùng được làm bộ lọc in_trace.",
        "From places along pipes, sewers and cables: upstream, downstream, connected, loops, paths; adds up length, "
        "volume, people, customers. What is found serves as the filter in_trace.",
    ),
    inputs=TraceInputs,
    outputs=("trace_links", "trace_nodes"),
    compute=compute,
    immediate=True,
)
