"""What one asks of public transport: when, from where, how far on foot, under which water."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from layers.schema import Text
from network.flooded_roads import WATER_LIMITS
from twin.process import Inputs, describe
from twin.transit.walking import WALK_SPEED

FeedId = Annotated[str, Field(min_length=1, max_length=40)]
StopId = Annotated[str, Field(min_length=1, max_length=200)]


class TransitAccessInputs(Inputs):
    """When, from where, how far on foot, and what water takes away."""

    feeds: tuple[FeedId, ...] = describe(
        Text("Bộ dữ liệu", "Feeds"),
        Text("Mã bộ dữ liệu GTFS; bỏ trống là tất cả.", "Ids of GTFS feeds; all without any."),
        default=(),
        max_length=20,
    )
    day: date | None = describe(
        Text("Ngày", "Day"),
        Text(
            "Ngày xét; bỏ trống là hôm nay. Bộ dữ liệu không chạy ngày ấy lấy ngày gần nhất cùng thứ.",
            "The day looked at; today without it. A feed that does not run then is taken on the nearest same weekday.",
        ),
        default=None,
    )
    start: str = describe(
        Text("Từ giờ", "From"),
        Text("Giờ địa phương bắt đầu khởi hành, HH:MM.", "Local time of the first departure, HH:MM."),
        default="07:00",
        pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
    )
    window: int = describe(
        Text("Trong bao lâu", "Window"),
        Text("Khởi hành trải đều trong khoảng này.", "Departures are spread over this time."),
        unit="min",
        default=60,
        ge=0,
        le=240,
    )
    step: int = describe(
        Text("Cách nhau", "Step"),
        Text("Khoảng cách giữa hai lần khởi hành.", "Time between departures."),
        unit="min",
        default=10,
        ge=1,
        le=60,
    )
    percentile: int = describe(
        Text("Phân vị", "Percentile"),
        Text(
            "Thời gian đi được tính: 50 là trung vị của các lần khởi hành, 90 là hầu như luôn kịp.",
            "Which travel time counts: 50 is the median over the departures, 90 nearly always holds.",
        ),
        unit="%",
        default=50,
        ge=1,
        le=100,
    )
    rides: int = describe(
        Text("Số lượt xe", "Rides"),
        Text("Nhiều nhất bao nhiêu lượt xe.", "Most rides."),
        unit="1",
        default=4,
        ge=1,
        le=8,
    )
    walk: int = describe(
        Text("Đi bộ tới trạm", "Walk to a stop"),
        Text("Đi bộ lâu nhất tới trạm, và từ trạm tới nơi.", "Longest walk to a stop, and from a stop to the place."),
        unit="min",
        default=15,
        ge=1,
        le=40,
    )
    walk_speed: float = describe(
        Text("Tốc độ đi bộ", "Walking speed"),
        Text("Tốc độ đi bộ.", "Speed on foot."),
        unit="m/s",
        default=WALK_SPEED,
        ge=0.3,
        le=2.5,
    )
    change: int = describe(
        Text("Thời gian lên xe", "Time to board"),
        Text("Phải có mặt ở trạm trước bao lâu.", "How long before it leaves one must be at the stop."),
        unit="s",
        default=60,
        ge=0,
        le=900,
    )
    longitude: float | None = describe(
        Text("Kinh độ", "Longitude"),
        Text(
            "Của một điểm: mỗi ô mất bao lâu từ đó; bỏ trống thì tính từ mọi ô.",
            "Of a point: how long each cell takes from there; from every cell without it.",
        ),
        unit="deg",
        default=None,
        ge=-180.0,
        le=180.0,
    )
    latitude: float | None = describe(
        Text("Vĩ độ", "Latitude"),
        Text("Của điểm ấy.", "Of the point."),
        unit="deg",
        default=None,
        ge=-90.0,
        le=90.0,
    )
    flood_run: str | None = describe(
        Text("Lần chạy ngập", "Flood run"),
        Text("So lúc khô với lúc lần chạy này ngập nhất.", "Compare with the peak of this flood run."),
        default=None,
        max_length=80,
    )
    stage: float | None = describe(
        Text("Mực nước", "Stage"),
        Text(
            "Thay cho lần chạy: nước ở mức này khắp nơi nối với sông.",
            "In place of a run: water at this level wherever the ground is joined to the river.",
        ),
        unit="m",
        default=None,
        ge=-10.0,
        le=100.0,
    )
    closing_depth: float = describe(
        Text("Độ sâu cấm", "Closing depth"),
        Text("Trạm và đường ngập từ mức này thì xe buýt không qua.", "Stops and roads this deep are lost to buses."),
        unit="m",
        default=WATER_LIMITS["bus"].depth,
        ge=0.05,
        le=2.0,
    )
    lost_stops: tuple[StopId, ...] = describe(
        Text("Trạm bỏ", "Lost stops"),
        Text("Mã lớp stops của những trạm không dừng nữa.", "Ids of layer stops at which nothing calls any more."),
        default=(),
        max_length=2_000,
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("longitude and latitude are given together or not at all")
        if self.flood_run is not None and self.stage is not None:
            raise ValueError("either flood_run or stage is given, not both")
        return self
