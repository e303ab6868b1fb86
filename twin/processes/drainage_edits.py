"""Blockages and measures of retention as inputs of drainage runs, and the edits they make."""

from typing import Self

from pydantic import model_validator

from layers.errors import InputError
from layers.schema import Text
from twin.process import CityView, Inputs, describe
from twin.processes.drainage_inputs import RainInputs
from twin.scenario import BlockLinks, Edit, Measure, RetainRain
from twin.swmm.blockage import can_block
from twin.swmm.running_models import RunModel

MEASURE_TITLES: dict[Measure, Text] = {
    "green_roof": Text("Mái xanh", "Green roofs"),
    "permeable_pavement": Text("Mặt đường thấm nước", "Permeable pavement"),
    "rain_garden": Text("Vườn mưa", "Rain gardens"),
    "rain_barrel": Text("Thùng chứa nước mưa", "Rain barrels"),
}


class Blockage(Inputs):
    """Links that lose a share of their section."""

    links: tuple[str, ...] = describe(
        Text("Cống", "Links"),
        Text("Mã các cống, cửa van bị tắc.", "Ids of the conduits and gates that are blocked."),
        default=(),
        max_length=10_000,
    )
    filter: str | None = describe(
        Text("Lọc", "Filter"),
        Text("Hoặc điều kiện CQL2 trên lớp drainage_links.", "Or a CQL2 filter on drainage_links."),
        default=None,
        min_length=1,
        max_length=4000,
    )
    share: float = describe(
        Text("Phần bị tắc", "Share lost"),
        Text(
            "Phần tiết diện mất đi: cống tròn, hộp đầy bùn từ đáy, mặt cắt khác nhỏ đều.",
            "Of the section: round pipes and boxes fill from the bed, other shapes shrink evenly.",
        ),
        unit="1",
        default=0.5,
        gt=0.0,
        le=0.99,
    )

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if bool(self.links) == (self.filter is not None):
            raise ValueError("a blockage needs links or a filter, one of the two")
        return self


class Retention(Inputs):
    """A measure on the sealed ground of catchments."""

    measure: Measure = describe(
        Text("Giải pháp", "Measure"),
        Text("Giữ nước mưa bằng cách nào.", "How the rain is kept back."),
        choices=MEASURE_TITLES,
    )
    share: float = describe(
        Text("Phần mặt không thấm", "Share of sealed ground"),
        Text(
            "Phần mặt không thấm thành mái xanh, mặt thấm, hoặc chảy vào vườn mưa, thùng chứa.",
            "That becomes green roof or permeable pavement, or drains into rain gardens and barrels.",
        ),
        unit="1",
        default=0.3,
        gt=0.0,
        le=1.0,
    )
    catchments: tuple[str, ...] = describe(
        Text("Lưu vực", "Catchments"),
        Text("Mã các lưu vực; bỏ trống cùng điều kiện là tất cả.", "Their ids; all without these and a filter."),
        default=(),
        max_length=10_000,
    )
    filter: str | None = describe(
        Text("Lọc", "Filter"),
        Text("Hoặc điều kiện CQL2 trên lớp catchments.", "Or a CQL2 filter on catchments."),
        default=None,
        min_length=1,
        max_length=4000,
    )

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.catchments and self.filter is not None:
            raise ValueError("catchments and filter exclude each other")
        return self


class EditInputs(RainInputs):
    """What is changed in the drains against the base."""

    blockages: tuple[Blockage, ...] = describe(
        Text("Tắc cống", "Blockages"),
        Text("Cống mất một phần tiết diện vì bùn, rác.", "Links that lose a share of their section."),
        default=(),
        max_length=100,
    )
    measures: tuple[Retention, ...] = describe(
        Text("Giữ nước mưa", "Retention"),
        Text("Mái xanh, mặt thấm, vườn mưa, thùng chứa.", "Green roofs, permeable pavement, rain gardens, barrels."),
        default=(),
        max_length=100,
    )


def list_edits(view: CityView | None, model: RunModel, inputs: EditInputs) -> list[Edit]:
    """Return the edits that the inputs make of a model, filters resolved to what of them is in it.

    Raises InputError for a filter that nothing in the model passes, and for one without a city.
    """
    edits: list[Edit] = []
    for blockage in inputs.blockages:
        ids = blockage.links or _filter_links(view, model, blockage.filter or "")
        edits.append(BlockLinks(ids, blockage.share))
    for measure in inputs.measures:
        if measure.filter is not None:
            chosen = _filter(view, "catchments", measure.filter, set(model.catchments.values()))
        else:
            chosen = measure.catchments or tuple(_list_sealed(model))
        edits.append(RetainRain(measure.measure, chosen, measure.share))
    return edits


def _list_sealed(model: RunModel) -> list[str]:
    """Return the catchments with sealed ground."""
    sealed = [row.words[0] for row in model.inp.rows("SUBCATCHMENTS") if row.read_number(4, 0.0) > 0.0]
    if not sealed:
        raise InputError("the model has no catchment with sealed ground to keep rain on")
    return sealed


def _filter_links(view: CityView | None, model: RunModel, passing: str) -> tuple[str, ...]:
    blockable = {identifier for name, identifier in model.links.items() if can_block(model.inp, name)}
    return _filter(view, "drainage_links", passing, blockable)


def _filter(view: CityView | None, layer: str, passing: str, known: set[str]) -> tuple[str, ...]:
    if view is None:
        raise InputError("a filter needs a city", hint="name the links or catchments of the file")
    ids, _ = view.find_features(layer, passing=passing)
    chosen = tuple(identifier for identifier in map(str, ids) if identifier in known)
    if not chosen:
        raise InputError(f"no item of {layer} in this model passes the filter '{passing[:200]}'")
    return chosen


def describe_edits(edits: list[Edit]) -> list[dict[str, object]]:
    """Return the edits for a run's record, at most 100 ids each."""
    found: list[dict[str, object]] = []
    for edit in edits:
        match edit:
            case BlockLinks():
                found.append(
                    {"edit": "blockage", "links": len(edit.link_ids), "ids": edit.link_ids[:100], "share": edit.share}
                )
            case RetainRain():
                count, ids = len(edit.catchment_ids), edit.catchment_ids[:100]
                found.append({"edit": edit.measure, "catchments": count, "ids": ids, "share": edit.share})
    return found


def name_edits(edits: list[Edit]) -> list[tuple[str, str]]:
    """Return the words for the edits in a title, Vietnamese and English."""
    words = []
    for edit in edits:
        match edit:
            case BlockLinks():
                count, share = len(edit.link_ids), 100.0 * edit.share
                words.append((f"{count} cống tắc {share:.0f} %", f"{count} links blocked by {share:.0f} %"))
            case RetainRain():
                title, share = MEASURE_TITLES[edit.measure], 100.0 * edit.share
                words.append((f"{title.vi.lower()} {share:.0f} %", f"{title.en.lower()} on {share:.0f} %"))
    return words
