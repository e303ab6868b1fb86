"""What every run of the drains is asked: which model, how long, what rain falls, how high the water outside stands."""

from datetime import datetime
from typing import Self

from pydantic import model_validator

from hydrology.design_storm import RainCurve, Shape
from layers.schema import Text
from twin.process import Inputs, describe
from twin.processes.flood_scenario import LEAST_STORM
from twin.processes.rain_fields import (
    RAIN_DEPTHS,
    RAIN_FACTOR,
    RAIN_STEP_MINUTES,
    RECORDED_RAIN,
    STORM_CURVE,
    STORM_DEPTH,
    STORM_HOURS,
    STORM_RETURN_PERIOD,
    STORM_SHAPE,
)


class ModelInputs(Inputs):
    """Which model is run, from when, how long, and what stands outside its outfalls."""

    model: str | None = describe(
        Text("Mô hình", "Model"),
        Text(
            "Mã mô hình SWMM đã nhập; bỏ trống thì dựng từ các lớp của thành phố.",
            "Id of an imported SWMM model; made from the city's layers if not given.",
        ),
        default=None,
        min_length=1,
        max_length=80,
    )
    bounds: tuple[float, ...] | None = describe(
        Text("Vùng", "Area"),
        Text(
            "Kinh độ, vĩ độ nhỏ nhất rồi lớn nhất: chỉ lấy những mạng cống chạm vào vùng, khi dựng từ các lớp.",
            "Least and greatest longitude and latitude (west, south, east, north): only the networks that reach into "
            "it, of a model from the layers.",
        ),
        default=None,
        min_length=4,
        max_length=4,
    )
    base_time: datetime | None = describe(
        Text("Thời điểm bắt đầu", "Base time"),
        Text(
            "Lúc bắt đầu; bỏ trống là bây giờ, hoặc lúc ghi trong mô hình.",
            "When it starts; now, or when the model says, if not given.",
        ),
        default=None,
    )
    hours: float | None = describe(
        Text("Thời đoạn", "Duration"),
        Text(
            "Kéo dài bao lâu; bỏ trống là hết mưa thêm 3 giờ, hoặc như mô hình.",
            "How long; to 3 hours after the storm, or as the model says, if not given.",
        ),
        unit="h",
        default=None,
        gt=0.0,
        le=24.0 * 366,
    )
    stage_level: float | None = describe(
        Text("Mực nước ngoài cửa xả", "Stage outside outfalls"),
        Text(
            "Giữ nguyên suốt thời đoạn; bỏ trống thì theo mô hình, hay chảy tự do.",
            "Held all the time; as the model says, or free, if not given.",
        ),
        unit="m",
        default=None,
        ge=-50.0,
        le=9000.0,
    )
    stage_forecast: bool = describe(
        Text("Mực nước dự báo", "Forecast stage"),
        Text(
            "Ngoài cửa xả là mực nước dự báo của trạm, cả triều.",
            "The forecast of the gauge, with its tide, stands outside the outfalls.",
        ),
        default=False,
    )
    gauge: str | None = describe(
        Text("Trạm mực nước", "Stage gauge"),
        Text("Trạm dự báo; bỏ trống thì dùng trạm chính.", "The gauge forecast; the main gauge if not given."),
        default=None,
        min_length=1,
        max_length=200,
    )
    stage_offset: float = describe(
        Text("Nước dâng thêm", "Stage offset"),
        Text("Cộng vào mực nước dự báo.", "Added to the forecast stage."),
        unit="m",
        default=0.0,
        ge=-5.0,
        le=5.0,
    )
    outfalls: tuple[str, ...] = describe(
        Text("Cửa xả", "Outfalls"),
        Text(
            "Cửa xả chịu mực nước đó, của mô hình đã nhập; bỏ trống thì những cửa có mực nước, hoặc tất cả.",
            "Outfalls of an imported model that the stage stands at; those with a stage, or all, if not given.",
        ),
        default=(),
        max_length=1000,
    )
    gates_closed: tuple[str, ...] = describe(
        Text("Cống ngăn triều đóng", "Closed gates"),
        Text("Mã các cống luôn đóng, khi dựng từ các lớp.", "Ids of gates kept closed, of a model from the layers."),
        default=(),
        max_length=500,
    )
    pumps_off: tuple[str, ...] = describe(
        Text("Bơm dừng", "Stopped pumps"),
        Text(
            "Mã các máy bơm không chạy, khi dựng từ các lớp.",
            "Ids of pumps that do not run, of a model from the layers.",
        ),
        default=(),
        max_length=500,
    )
    own_steps: bool = describe(
        Text("Bước tính của mô hình", "The model's own steps"),
        Text(
            "Giữ bước tính ghi trong mô hình, thay vì nhiều nhất 2 giây.",
            "Keep the steps that the model says instead of at most 2 s.",
        ),
        default=False,
    )
    slot: bool = describe(
        Text("Khe Preissmann", "Preissmann slot"),
        Text("Tính cống đầy bằng khe Preissmann.", "Compute full pipes with a Preissmann slot."),
        default=False,
    )
    allow_imbalance: bool = describe(
        Text("Chấp nhận sai số nước", "Allow imbalance"),
        Text(
            "Giữ kết quả dù sai số cân bằng nước quá 0,5 %.",
            "Keep the results though more than 0.5 % of the water is missing or made.",
        ),
        default=False,
    )

    @model_validator(mode="after")
    def _knows_its_model(self) -> Self:
        if self.model is not None and (self.bounds or self.gates_closed or self.pumps_off):
            raise ValueError("bounds, gates_closed and pumps_off are for a model from the layers")
        if self.model is None and self.outfalls:
            raise ValueError("outfalls are named for an imported model; of the layers, all in tidal water are held")
        if self.bounds is not None:
            west, south, east, north = self.bounds
            if not (-180.0 <= west < east <= 180.0 and -90.0 <= south < north <= 90.0):
                raise ValueError(f"bounds are {list(self.bounds)}, expected west, south, east, north in degrees")
        if self.stage_level is not None and self.stage_forecast:
            raise ValueError("stage_level and stage_forecast exclude each other")
        if self.stage_offset != 0.0 and not self.stage_forecast:
            raise ValueError("stage_offset is added to a forecast: set stage_forecast")
        return self


class RainInputs(ModelInputs):
    """What rain falls on the model."""

    storm_depth: float = STORM_DEPTH
    storm_hours: float = STORM_HOURS
    storm_shape: Shape = STORM_SHAPE
    storm_return_period: float | None = STORM_RETURN_PERIOD
    storm_curve: tuple[float, ...] | None = STORM_CURVE
    recorded_rain: bool = RECORDED_RAIN
    rain_depths: tuple[float, ...] = RAIN_DEPTHS
    rain_step_minutes: float = RAIN_STEP_MINUTES
    rain_factor: float = RAIN_FACTOR

    @model_validator(mode="after")
    def _knows_its_rain(self) -> Self:
        given = [
            self.storm_depth > 0.0,
            self.storm_return_period is not None,
            self.recorded_rain,
            bool(self.rain_depths),
        ]
        if sum(given) > 1:
            raise ValueError("storm_depth, storm_return_period, recorded_rain and rain_depths exclude each other")
        if (self.storm_return_period is None) != (self.storm_curve is None):
            raise ValueError("storm_return_period and storm_curve go together")
        if self.storm_return_period is not None and self.storm_curve is not None:
            RainCurve(*self.storm_curve).at(self.storm_return_period).check_duration(self.storm_hours * 3600.0)
        if 0.0 < self.storm_depth < LEAST_STORM:
            raise ValueError(f"storm_depth {self.storm_depth:g} mm is less than any storm: give mm, not m")
        if any(depth < 0.0 for depth in self.rain_depths):
            raise ValueError(f"rain_depths holds {min(self.rain_depths):g} mm, expected 0 or more")
        return self
