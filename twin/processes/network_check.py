"""The check of a network as a process: its faults as a layer, with place and fix."""

from typing import Literal

from layers.errors import NotFoundError
from layers.schema import Text
from twin.networks.commodities import COMMODITIES, read_commodity
from twin.networks.validating import check_network, make_frame
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe

MOST_FINDINGS = 50_000


class NetworkCheckInputs(Inputs):
    """What is checked."""

    commodity: Literal["water", "drainage", "sewer", "lighting", "power"] = describe(
        Text("Mạng", "Network"),
        Text("Mạng được kiểm tra.", "The network that is checked."),
        choices={key: one.title for key, one in COMMODITIES.items()},
        default="water",
    )


def compute(view: CityView, inputs: NetworkCheckInputs, progress: Progress) -> Outputs:
    """Return the faults of a network; NotFoundError where the city has none of it."""
    commodity = read_commodity(inputs.commodity)
    progress.report(0.1, "đọc mạng — reading the network")
    report = check_network(commodity, view.network(commodity.id).reader)
    if not report.lines:
        layers = ", ".join(one.layer for one in commodity.lines)
        raise NotFoundError(f"the city has no network '{commodity.id}'", hint=f"load features into {layers}")
    progress.report(0.9, "ghi lỗi — listing faults")
    frame = make_frame(report, view.crs)
    return Outputs(
        title=Text(f"Kiểm tra mạng: {commodity.title.vi}", f"Network check: {commodity.title.en}"),
        base_time=view.now,
        horizon_hours=0.0,
        features={"network_findings": frame.iloc[:MOST_FINDINGS]},
        summary={
            "commodity": commodity.id,
            "lines": report.lines,
            "nodes": report.nodes,
            "links": report.links,
            "parts": report.parts,
            "largest_share": round(report.largest_share, 6),
            "errors": report.errors,
            "warnings": len(report.findings) - report.errors,
            "counts": dict(sorted(report.counts.items())),
            "written": min(len(frame), MOST_FINDINGS),
        },
    )


PROCESS = Process(
    id="network-check",
    title=Text("Kiểm tra mạng lưới", "Network check"),
    description=Text(
        "Tìm lỗi của một mạng: đầu hở, suýt nối, giao cắt, phần rời, trùng, mạch vòng, dốc ngược, thiếu cao độ đáy; "
        "mỗi lỗi có vị trí và cách sửa.",
        "Finds the faults of a network: dangling ends, near misses, crossings, parts, duplicates, loops, adverse "
        "slopes, missing inverts; each with place and fix.",
    ),
    inputs=NetworkCheckInputs,
    outputs=("network_findings",),
    compute=compute,
)
