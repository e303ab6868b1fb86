"""Transit check: what is wrong with a feed of the city, under the names of the canonical validator."""

from typing import Any

from layers.errors import InputError
from layers.schema import Text
from twin.process import CityView, Inputs, Outputs, Process, Progress, describe
from twin.transit.notices import SEVERITIES
from twin.transit.validating import validate_feed


class TransitCheckInputs(Inputs):
    """Which feed."""

    feed: str | None = describe(
        Text("Bộ dữ liệu", "Feed"),
        Text("Mã bộ dữ liệu GTFS; bỏ trống là tất cả.", "Id of a GTFS feed; all without it."),
        default=None,
        max_length=40,
    )


def compute(view: CityView, inputs: TransitCheckInputs, progress: Progress) -> Outputs:
    """Return the notices of each feed. Raises NotFoundError for an unknown one, InputError where there is none."""
    feeds = view.feeds((inputs.feed,) if inputs.feed else ())
    if not feeds:
        raise InputError("the city has no public transport feed", hint="type: twin transit import FILE.zip")
    today = view.now.astimezone(view.zone).date()
    found: dict[str, Any] = {}
    errors = 0
    for number, one in enumerate(feeds):
        progress.report(number / len(feeds), one.title)
        report = validate_feed(one.feed, today)
        errors += report.count("ERROR")
        found[one.id] = {
            "version": one.stamp,
            **{severity.lower() + "s": report.count(severity) for severity in SEVERITIES},
            "notices": report.describe(),
        }
    return Outputs(
        title=Text(f"Kiểm tra GTFS: {errors} lỗi", f"Check of GTFS: errors ({errors})"),
        base_time=view.now,
        horizon_hours=0.0,
        summary={"errors": errors, "feeds": found},
    )


PROCESS = Process(
    id="transit-check",
    title=Text("Kiểm tra dữ liệu giao thông công cộng", "Check of public transport feeds"),
    description=Text(
        "Kiểm tra bộ dữ liệu GTFS: thiếu gì, sai gì, dòng nào, theo tên lỗi của bộ kiểm tra chuẩn.",
        "What is missing or wrong in a GTFS feed, with its rows, by the names of the canonical validator.",
    ),
    inputs=TransitCheckInputs,
    outputs=(),
    compute=compute,
    immediate=True,
    access="public",
)
