"""What the command line says of a run besides its title: the figures somebody asks for first."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Summary = Mapping[str, Any]


def list_figures(summary: Summary, folder: Path) -> list[str]:
    """Return the lines for what the summary holds; folder: where the run keeps its files."""
    return [line for key, tell in _TOLD.items() if key in summary for line in tell(summary, folder)]


def _tell_flood(summary: Summary, _: Path) -> list[str]:
    return [
        f"đỉnh mực nước / peak stage   {summary['peak_stage']:.2f} m, {summary['peak_time']}",
        f"diện tích ngập / flooded     {summary['flooded_area'] / 1e4:.1f} ha",
        f"người / people               {summary['people']:,}",
        f"nhà / buildings              {summary['buildings']:,}",
        f"đường ngập / roads wet       {summary['road_length'] / 1e3:.1f} km, "
        f"đoạn bị cấm, cả đoạn / closed links, whole {summary['closed_road_length'] / 1e3:.1f} km",
    ]


def _tell_assignment(summary: Summary, folder: Path) -> list[str]:
    figures = summary["assignment"]
    return [
        f"mục tiêu / objective         {figures['objective']:.12g}",
        f"sai lệch / relative gap      {figures['gap_checked']:.2e} ({figures['rounds']} vòng / rounds, "
        f"{figures['cpu_s']:.3g} s CPU)",
        f"cân bằng nút / node balance  {figures['imbalance']:.1e}",
        f"dòng xe / flows              {folder / 'flows.csv'}",
        f"ma trận / skims              {folder / 'skims.csv'}",
    ]


def _tell_access(summary: Summary, _: Path) -> list[str]:
    roads, people, stops, leaving = (summary[name] for name in ("roads", "people", "stops", "evacuation"))
    lines = [
        f"đường bị ngập cấm / closed   {roads['closed_length'] / 1e3:.1f} / {roads['length'] / 1e3:.1f} km",
        f"người bị chia cắt / cut off  {people['cut_off']:,} / {people['people']:,}",
        f"mất bệnh viện / no hospital  {people['no_hospital']:,}",
        f"trạm dừng mất / stops lost   {stops['lost']:,} / {stops['count']:,}",
        f"sơ tán / to shelters         {leaving['sheltered']:,} / {leaving['people']:,}",
    ]
    for step in summary["reopening"][:3]:
        lines.append(
            f"mở trước / reopen {step['step']}           {step['road']}, {step['length']:.0f} m: {step['people']:,}"
        )
    return lines


def _tell_reach(summary: Summary, _: Path) -> list[str]:
    totals, people = summary["totals"], summary["reached"]["people"]
    return [
        f"trong {minutes} phút / min          {jobs:,.0f} / {totals['jobs']:,} việc làm / jobs, "
        f"{people[minutes]:,.0f} / {totals['people']:,} người / people"
        for minutes, jobs in summary["reached"]["jobs"].items()
    ]


_TOLD: Mapping[str, Callable[[Summary, Path], list[str]]] = {
    "flooded_area": _tell_flood,
    "assignment": _tell_assignment,
    "reopening": _tell_access,
    "reached": _tell_reach,
}
"""By the key that only summaries of this kind have."""
