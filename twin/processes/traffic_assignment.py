"""Traffic assignment: flows on roads at which nobody gets there sooner, of the city or of a published network."""

from collections.abc import Callable
from datetime import UTC

import numpy as np

from layers.schema import Text
from network.assignment import Step
from twin.process import CityView, Outputs, Process, Progress, StoppedError
from twin.processes.traffic_assignment_inputs import TrafficAssignmentInputs
from twin.traffic.assigned import summarize, write_paths
from twin.traffic.assigned_layers import list_flows, summarize_city, write_city_files
from twin.traffic.city_assignment import Question, assign_city, stamp_of
from twin.traffic.published import read_published, solve, write_files


def compute(view: CityView, inputs: TrafficAssignmentInputs, progress: Progress) -> Outputs:
    """Return the equilibrium with its own gap and balance; UnbalancedError where flows are no trips."""
    progress.report(0.0, "mạng đường, chuyến đi — roads and trips")
    follow = _follow(progress, inputs.gap)
    if inputs.network is not None:
        return _compute_published(view, inputs, follow)
    done = assign_city(view, _ask(inputs), follow)
    progress.report(0.95, "lập bảng — tables")
    summary = summarize_city(done)
    hour = f"{inputs.hour:02d}:00"
    return Outputs(
        title=Text(
            f"Phân bổ giao thông {hour}: {summary['vehicle_km']:,.0f} xe·km, sai lệch {done.check.gap:.1e}",
            f"Traffic assignment {hour}: {summary['vehicle_km']:,.0f} vehicle km, gap {done.check.gap:.1e}",
        ),
        base_time=view.now,
        horizon_hours=0.0,
        features={"traffic_flows": list_flows(done, view.crs)},
        summary={"assignment": summarize(done.found, done.check), "traffic": summary},
        parameters={
            "roads": done.roads.stamp, "hour": inputs.hour, "delay": inputs.delay, "pcu": inputs.pcu,
            "shares": inputs.shares, "base": inputs.base,
        },
        files={**write_city_files(done), **write_paths(done.found, stamp_of(done))},
    )  # fmt: skip


def _compute_published(
    view: CityView, inputs: TrafficAssignmentInputs, follow: Callable[[Step], bool]
) -> Outputs:  # fmt: skip
    assert inputs.network is not None
    assert inputs.trips is not None
    network, trips = read_published(inputs.network, inputs.trips)
    solved = solve(
        network, trips, inputs.counts, delay=inputs.delay, gap=inputs.gap, max_iterations=inputs.max_iterations,
        follow=follow,
    )  # fmt: skip
    figures = summarize(solved.found, solved.check)
    links, nodes = len(network.link_ids), len(network.node_ids)
    return Outputs(
        title=Text(
            f"Phân bổ giao thông, {nodes:,} nút, {links:,} cung: mục tiêu {figures['objective']:.10g}, sai lệch "
            f"{solved.check.gap:.1e}",
            f"Traffic assignment, {nodes:,} nodes, {links:,} links: objective {figures['objective']:.10g}, gap "
            f"{solved.check.gap:.1e}",
        ),
        base_time=view.now.astimezone(UTC),
        horizon_hours=0.0,
        summary={
            "assignment": figures,
            "network": {
                "nodes": nodes,
                "links": links,
                "zones": len(network.zones),
                "trips": float(solved.check.trips.sum()),
                "trips_lost": float(solved.check.lost.sum()),
                "total_time": float(np.sum(solved.found.total * solved.found.times)),
                "time_unit": network.time_unit,
            },
            **({} if solved.calibration is None else {"calibration": solved.calibration}),
        },
        parameters={"delay": inputs.delay},
        files=write_files(solved),
    )


def _ask(inputs: TrafficAssignmentInputs) -> Question:
    return Question(
        trips=inputs.trips,
        counts=inputs.counts,
        hour=inputs.hour,
        trips_per_person=inputs.trips_per_person,
        mean_time=None if inputs.mean_time is None else 60.0 * inputs.mean_time,
        zone_size=inputs.zone_size,
        shares=inputs.shares,
        pcu=inputs.pcu,
        delay=inputs.delay,
        gap=inputs.gap,
        max_iterations=inputs.max_iterations,
        at=inputs.at if inputs.at is None or inputs.at.tzinfo is not None else inputs.at.replace(tzinfo=UTC),
        works=inputs.works,
        closed=inputs.closed,
        flood_run=inputs.flood_run,
        base=inputs.base,
        select=inputs.select,
    )


def _follow(progress: Progress, gap: float) -> Callable[[Step], bool]:
    """Return what tells how far an assignment is, by the orders of magnitude its gap has come down."""

    def follow(step: Step) -> bool:
        if progress.should_stop():
            raise StoppedError
        come = np.log10(max(step.gap, gap)) / np.log10(gap) if np.isfinite(step.gap) else 0.0
        words = f"sai lệch — gap {step.gap:.1e}" if np.isfinite(step.gap) else "chất tải — loading"
        progress.report(0.05 + 0.9 * float(np.clip(come, 0.0, 1.0)), words)
        return False

    return follow


PROCESS = Process(
    id="traffic-assignment",
    title=Text("Phân bổ giao thông", "Traffic assignment"),
    description=Text(
        "Dòng xe trên từng chiều đường khi không ai tìm được đường nhanh hơn: từ dân cư hoặc chuyến đi cho trước, "
        "có xét cấm đường và nước ngập; cũng chạy được trên mạng TNTP, GMNS.",
        "Flows on each way of a road when nobody finds a quicker one: of people or given trips, with closures and "
        "water; also on TNTP and GMNS networks.",
    ),
    inputs=TrafficAssignmentInputs,
    outputs=("traffic_flows",),
    compute=compute,
)
