"""What a flood-access run is asked: the water, who moves, and the time shown."""

from datetime import datetime
from typing import Literal

from pydantic import model_validator

from layers.schema import Text
from twin.process import Inputs, describe

MODE_TITLES = {
    "car": Text("Ô tô con", "Car"),
    "motorbike": Text("Xe máy", "Motorbike"),
    "truck": Text("Xe tải", "Truck"),
    "bus": Text("Xe buýt", "Bus"),
    "emergency": Text("Xe cứu thương, cứu hỏa", "Emergency vehicle"),
    "bicycle": Text("Xe đạp", "Bicycle"),
    "foot": Text("Đi bộ", "On foot"),
}


class FloodAccessInputs(Inputs):
    """The water, who moves, and the time shown."""

    run: str | None = describe(
        Text("Lần chạy ngập", "Flood run"),
        Text("Mã lần chạy; bỏ trống là lần mới nhất.", "Id of a flood run; the newest if not given."),
        default=None,
        min_length=1,
        max_length=100,
    )
    stage: float | None = describe(
        Text("Mực nước", "Stage"),
        Text(
            "Thay cho lần chạy: nước ngang mức này trên địa hình, ở chỗ thông với sông.",
            "Instead of a run: water level at this stage over the terrain, wherever it is joined to the river.",
        ),
        unit="m",
        default=None,
        ge=-50.0,
        le=9000.0,
    )
    river_below: float | None = describe(
        Text("Cao độ sông", "River below"),
        Text(
            "Với mực nước: đất ở rìa địa hình không cao hơn mức này là sông; bỏ trống thì lấy vùng mặt nước, hoặc chỗ "
            "thấp nhất ở rìa.",
            "With a stage: ground at the edge of the terrain not above this is the river; water bodies if not given, "
            "or the lowest ground there.",
        ),
        unit="m",
        default=None,
        ge=-50.0,
        le=9000.0,
    )
    cell_size: float | None = describe(
        Text("Cỡ ô", "Cell size"),
        Text(
            "Với mực nước: cỡ ô địa hình; bỏ trống là như đã nạp.",
            "With a stage: of the terrain; as loaded if not given.",
        ),
        unit="m",
        default=None,
        ge=1.0,
        le=500.0,
    )
    mode: Literal["car", "motorbike", "truck", "bus", "emergency", "bicycle", "foot"] = describe(
        Text("Phương tiện", "Mode"),
        Text("Ai bị chia cắt khi đi bằng gì.", "By what people move who are cut off."),
        choices=MODE_TITLES,
        default="motorbike",
    )
    at: datetime | None = describe(
        Text("Lúc", "At"),
        Text(
            "Thời điểm được vẽ; bỏ trống là lúc nhiều người bị chia cắt nhất.",
            "The time that is shown; when most people are cut off if not given.",
        ),
        default=None,
    )
    closing_depth: float | None = describe(
        Text("Độ sâu cấm đường", "Closing depth"),
        Text(
            "Nước sâu từ mức này thì phương tiện không qua được; bỏ trống theo loại xe.",
            "The mode does not pass water of this depth or more; by mode if not given.",
        ),
        unit="m",
        default=None,
        ge=0.05,
        le=2.0,
    )
    evacuation_depth: float = describe(
        Text("Độ sâu phải sơ tán", "Evacuation depth"),
        Text(
            "Nơi nước sâu từ mức này, hoặc bị chia cắt, dân phải sơ tán.",
            "People leave where the water gets this deep, or where they are cut off.",
        ),
        unit="m",
        default=0.5,
        ge=0.05,
        le=5.0,
    )
    reopen_steps: int = describe(
        Text("Số bước mở đường", "Steps of reopening"),
        Text("Số nhóm đường nên mở lại được xếp thứ tự.", "How many groups of roads to reopen are ranked."),
        unit="{#}",
        default=20,
        ge=0,
        le=100,
    )

    @model_validator(mode="after")
    def _check_water(self) -> "FloodAccessInputs":
        if self.stage is not None and self.run is not None:
            raise ValueError("give a run or a stage, not both")
        if self.stage is not None and self.at is not None:
            raise ValueError("a stage has no times: leave at out")
        if self.stage is None and (self.river_below is not None or self.cell_size is not None):
            raise ValueError("river_below and cell_size belong to a stage")
        return self
