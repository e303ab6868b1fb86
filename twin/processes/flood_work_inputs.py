"""Earthworks as inputs of a flood scenario: drawings as WKT with their depths, widths and heights."""

from typing import Any, Literal, Self

import numpy as np
import shapely
from pydantic import model_validator

from layers.schema import Text
from twin.process import Inputs, describe
from twin.processes.flood_conditions import ConditionInputs
from twin.scenario import BuildDyke, DigPond, Edit, Places, RaiseRoad, Scenario, WidenCanal

MOST_WORKS, MOST_CORNERS = 30, 500
_WKT_LENGTH = 25_000
_LINE = Text("Đường vẽ dạng WKT, kinh độ trước vĩ độ.", "The line as WKT, longitude before latitude.")


def read_drawing(words: str, kind: Literal["Polygon", "LineString"]) -> Places:
    """Return the corners of a polygon's outer ring or of a line in WKT; ValueError says what is wrong with it."""
    try:
        shape = shapely.from_wkt(words)
    except shapely.errors.ShapelyError:
        raise ValueError(f"'{words[:80]}' is not WKT, as {kind.upper()} (…)") from None
    if shape is None or shape.geom_type != kind or shape.is_empty:
        raise ValueError(f"'{words[:80]}' is not a {kind.upper()}")
    if isinstance(shape, shapely.Polygon) and (len(shape.interiors) or not shape.is_valid):
        raise ValueError("the polygon crosses itself or has holes")
    corners = shapely.get_coordinates(shape)
    if len(corners) > MOST_CORNERS:
        raise ValueError(f"the drawing has {len(corners)} corners, expected at most {MOST_CORNERS}")
    if not np.isfinite(corners).all() or (np.abs(corners) > (180.0, 90.0)).any():
        raise ValueError("the drawing lies beyond longitudes of ±180 and latitudes of ±90")
    return tuple((float(lon), float(lat)) for lon, lat in corners)


def _describe_size(title: Text, words: Text, default: float, most: float) -> Any:
    return describe(title, words, unit="m", default=default, ge=0.1, le=most)


class _Line(Inputs):
    """Something along a line."""

    line: str = describe(Text("Tuyến", "Line"), _LINE, min_length=1, max_length=_WKT_LENGTH)

    @model_validator(mode="after")
    def _is_a_line(self) -> Self:
        read_drawing(self.line, "LineString")
        return self


class Pond(Inputs):
    """A retention pond."""

    area: str = describe(
        Text("Khu đất", "Area"),
        Text("Vùng vẽ dạng WKT, kinh độ trước vĩ độ.", "The area as WKT, longitude before latitude."),
        min_length=1,
        max_length=_WKT_LENGTH,
    )
    depth: float = _describe_size(
        Text("Độ sâu", "Depth"),
        Text("Dưới mặt đất; lúc đầu hồ cạn.", "Below the ground; empty at the start."),
        2.0,
        20.0,
    )

    @model_validator(mode="after")
    def _is_an_area(self) -> Self:
        read_drawing(self.area, "Polygon")
        return self


class Canal(_Line):
    """A canal that is widened, or a new one."""

    width: float = _describe_size(
        Text("Bề rộng", "Width"), Text("Của dải được đào.", "Of the strip that is dug."), 20.0, 500.0
    )
    depth: float = _describe_size(
        Text("Độ sâu", "Depth"), Text("Dưới mặt đất hai bên.", "Below the ground beside it."), 2.0, 20.0
    )


class Road(_Line):
    """A road that is raised."""

    width: float = _describe_size(Text("Bề rộng", "Width"), Text("Của nền đường.", "Of the road."), 12.0, 100.0)
    height: float = _describe_size(Text("Tôn cao", "Rise"), Text("Trên mặt đất.", "Above the ground."), 0.5, 10.0)


class Dyke(_Line):
    """A new dyke or wall."""

    height: float = _describe_size(Text("Chiều cao", "Height"), Text("Trên mặt đất.", "Above the ground."), 1.0, 10.0)


class WorkInputs(ConditionInputs):
    """What a flood scenario is asked of earthworks."""

    ponds: tuple[Pond, ...] = describe(
        Text("Hồ điều hòa", "Retention ponds"),
        Text("Hồ đào thêm để chứa nước; vẽ được ở thẻ Quy hoạch.", "Ponds that are dug; drawn in the planning panel."),
        default=(),
        max_length=MOST_WORKS,
    )
    canals: tuple[Canal, ...] = describe(
        Text("Mở rộng kênh", "Widened canals"),
        Text("Dải đất đào thành kênh dọc theo tuyến.", "Strips along a line that become canal."),
        default=(),
        max_length=MOST_WORKS,
    )
    raised_roads: tuple[Road, ...] = describe(
        Text("Tôn cao đường", "Raised roads"),
        Text("Đường đắp cao, giữ nước lại như đê.", "Roads on an embankment, which holds water as a dyke does."),
        default=(),
        max_length=MOST_WORKS,
    )
    new_dykes: tuple[Dyke, ...] = describe(
        Text("Đê, tường mới", "New dykes"),
        Text("Đê hay tường chắn dọc theo tuyến.", "Dykes or walls along a line."),
        default=(),
        max_length=MOST_WORKS,
    )

    def list_works(self) -> list[Edit]:
        """Return the edits these inputs make."""
        return [
            *(DigPond(read_drawing(pond.area, "Polygon"), pond.depth) for pond in self.ponds),
            *(WidenCanal(read_drawing(one.line, "LineString"), one.width, one.depth) for one in self.canals),
            *(RaiseRoad(read_drawing(one.line, "LineString"), one.width, one.height) for one in self.raised_roads),
            *(BuildDyke(read_drawing(one.line, "LineString"), one.height) for one in self.new_dykes),
        ]


_WORDS: tuple[tuple[type[Edit], str, str], ...] = (
    (DigPond, "{} hồ điều hòa", "retention ponds: {}"),
    (WidenCanal, "{} đoạn kênh mở rộng", "widened canals: {}"),
    (RaiseRoad, "{} đoạn đường tôn cao", "raised roads: {}"),
    (BuildDyke, "{} đoạn đê mới", "new dykes: {}"),
)


def name_works(scenario: Scenario) -> tuple[list[str], list[str]]:
    """Return the words for the earthworks in a title, Vietnamese and English."""
    found = [(len(scenario.find(kind)), vi, en) for kind, vi, en in _WORDS]
    return [vi.format(count) for count, vi, _ in found if count], [en.format(count) for count, _, en in found if count]
