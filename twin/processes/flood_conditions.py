"""What else a scenario may be asked: climate, wind, recorded rain, the ground, and what is worked by hand."""

from typing import Self

from pydantic import model_validator

from layers.schema import Text
from twin.process import Inputs, describe
from twin.processes.flood_ground import BuildingModel, Ground, LossModel, SoilTexture
from twin.processes.flood_steps import FloodInputs
from twin.processes.rain_fields import RAIN_DEPTHS, RAIN_FACTOR, RAIN_STEP_MINUTES, RECORDED_RAIN
from twin.scenario import BlowWind, Edit, OperateGate, OperatePump, RaiseSea, RepeatRain, ScaleRain, Subside, SupplyRain

LOSS_TITLES: dict[LossModel, Text] = {
    "runoff": Text("Hệ số dòng chảy", "Runoff coefficient"),
    "green_ampt": Text("Thấm Green–Ampt", "Green–Ampt infiltration"),
    "curve_number": Text("Chỉ số CN", "Curve number"),
}
BUILDING_TITLES: dict[BuildingModel, Text] = {
    "rough": Text("Mặt đất nhám", "Rough ground"),
    "raised": Text("Nâng đến sàn nhà", "Raised to their floors"),
    "porous": Text("Chiếm một phần ô", "A share of each cell"),
}
SOIL_TITLES: dict[SoilTexture, Text] = {
    "sand": Text("Cát", "Sand"),
    "loamy_sand": Text("Cát pha thịt", "Loamy sand"),
    "sandy_loam": Text("Thịt pha cát", "Sandy loam"),
    "loam": Text("Thịt", "Loam"),
    "silt_loam": Text("Thịt pha limon", "Silt loam"),
    "sandy_clay_loam": Text("Thịt pha sét và cát", "Sandy clay loam"),
    "clay_loam": Text("Thịt pha sét", "Clay loam"),
    "silty_clay_loam": Text("Thịt pha sét và limon", "Silty clay loam"),
    "sandy_clay": Text("Sét pha cát", "Sandy clay"),
    "silty_clay": Text("Sét pha limon", "Silty clay"),
    "clay": Text("Sét", "Clay"),
}


class Operation(Inputs):
    """Orders to a gate or pump, each held until the next."""

    id: str = describe(Text("Mã", "Id"), Text("Mã cống hay máy bơm.", "Id of the gate or pump."), min_length=1)
    hours: tuple[float, ...] = describe(
        Text("Giờ", "Hours"),
        Text("Số giờ sau lúc bắt đầu, tăng dần.", "Hours after the start, rising."),
        min_length=1,
        max_length=500,
    )
    settings: tuple[float, ...] = describe(
        Text("Độ mở", "Settings"),
        Text("Từ 0 (đóng, dừng) đến 1 (mở hết, chạy hết công suất).", "From 0 (shut, off) to 1 (open, full)."),
        min_length=1,
        max_length=500,
    )

    @model_validator(mode="after")
    def _is_a_plan(self) -> Self:
        if len(self.hours) != len(self.settings):
            raise ValueError(f"'{self.id}' has {len(self.hours)} hours and {len(self.settings)} settings")
        if any(later <= earlier for earlier, later in zip(self.hours, self.hours[1:], strict=False)):
            raise ValueError(f"'{self.id}' has hours {list(self.hours)}, expected rising ones")
        if not all(0.0 <= setting <= 1.0 for setting in self.settings):
            raise ValueError(f"'{self.id}' has settings {list(self.settings)}, expected shares from 0 to 1")
        return self


class ConditionInputs(FloodInputs):
    """What every flood scenario is asked beyond its stage, storm and failures."""

    recorded_rain: bool = RECORDED_RAIN
    rain_depths: tuple[float, ...] = RAIN_DEPTHS
    rain_step_minutes: float = RAIN_STEP_MINUTES
    rain_factor: float = RAIN_FACTOR
    sea_level_rise: float = describe(
        Text("Nước biển dâng", "Sea level rise"),
        Text(
            "Cộng vào mực nước ở mọi lúc, cả mực nước thường.",
            "Added to the stage at all times, the usual one too.",
        ),
        unit="m",
        default=0.0,
        ge=-1.0,
        le=5.0,
    )
    subsidence: float = describe(
        Text("Sụt lún", "Subsidence"),
        Text(
            "Đất cùng đê, đường và công trình trên đó thấp đi; mực nước sông giữ nguyên.",
            "The land with the dykes, roads and structures on it lies lower; the river's stage does not.",
        ),
        unit="m",
        default=0.0,
        ge=0.0,
        le=5.0,
    )
    wind_speed: float = describe(
        Text("Tốc độ gió", "Wind speed"),
        Text("Ở độ cao 10 m, suốt thời đoạn.", "At a height of 10 m, all the time."),
        unit="m/s",
        default=0.0,
        ge=0.0,
        le=80.0,
    )
    wind_direction: float = describe(
        Text("Hướng gió", "Wind direction"),
        Text("Gió từ đâu thổi đến, theo chiều kim đồng hồ từ hướng bắc.", "Where it comes from, clockwise from north."),
        unit="deg",
        default=0.0,
        ge=0.0,
        le=360.0,
    )
    losses: LossModel = describe(
        Text("Tổn thất", "Losses"),
        Text(
            "Đất giữ lại bao nhiêu nước mưa: theo hệ số của lớp phủ, hay theo loại đất.",
            "How much of the rain the ground keeps: by a coefficient of its cover, or by its soil.",
        ),
        choices=LOSS_TITLES,
        default="runoff",
    )
    soil: SoilTexture = describe(
        Text("Loại đất", "Soil"),
        Text("Thành phần cơ giới theo USDA, cho Green–Ampt và CN.", "USDA texture, for Green–Ampt and curve numbers."),
        choices=SOIL_TITLES,
        default="silty_clay",
    )
    soil_saturation: float = describe(
        Text("Độ ẩm đất", "Soil saturation"),
        Text(
            "Phần lỗ rỗng đã chứa nước lúc đầu, cho Green–Ampt.",
            "Share of the pores full at the start, for Green–Ampt.",
        ),
        unit="1",
        default=0.5,
        ge=0.0,
        le=1.0,
    )
    groundwater_depth: float = describe(
        Text("Độ sâu nước ngầm", "Groundwater depth"),
        Text("Dưới mặt đất; đất đầy thì thôi thấm.", "Below the ground; full soil takes no more, for Green–Ampt."),
        unit="m",
        default=0.5,
        ge=0.0,
        le=50.0,
    )
    buildings: BuildingModel = describe(
        Text("Nhà trên lưới", "Buildings"),
        Text(
            "Nhà là mặt đất nhám, được nâng đến sàn và thoát nước mái ra đất trống, hay chiếm một phần ô.",
            "Buildings are rough ground, raised to their floors with roofs draining beside them, or a share of cells.",
        ),
        choices=BUILDING_TITLES,
        default="rough",
    )
    condition: bool = describe(
        Text("Chỉnh địa hình", "Condition the terrain"),
        Text(
            "Lấp lỗ hổng, đào mương hẹp hơn một ô, thông và lấp hố nhiễu; kết quả ghi những gì đã sửa.",
            "Fill holes, dig waterways narrower than a cell, let out or fill pits of noise; the run records it.",
        ),
        default=False,
    )
    gate_operations: tuple[Operation, ...] = describe(
        Text("Vận hành cống", "Gate operation"),
        Text(
            "Giờ và độ mở của cống do người điều khiển, thay cho đóng mở theo mực nước.",
            "Hours and openings of gates worked by hand, instead of by the water levels.",
        ),
        default=(),
        max_length=100,
    )
    pump_operations: tuple[Operation, ...] = describe(
        Text("Vận hành bơm", "Pump operation"),
        Text("Giờ và công suất của máy bơm do người điều khiển.", "Hours and shares of pumps worked by hand."),
        default=(),
        max_length=100,
    )

    @property
    def ground(self) -> Ground:
        """How the ground is described."""
        return Ground(
            losses=self.losses,
            soil=self.soil,
            saturation=self.soil_saturation,
            groundwater_depth=self.groundwater_depth,
            buildings=self.buildings,
            condition=self.condition,
        )

    def list_conditions(self) -> list[Edit]:
        """Return the edits these inputs make."""
        edits: list[Edit] = []
        if self.recorded_rain:
            edits.append(RepeatRain())
        if self.rain_depths:
            edits.append(SupplyRain(self.rain_depths, self.rain_step_minutes))
        if self.rain_factor != 1.0:
            edits.append(ScaleRain(self.rain_factor))
        if self.sea_level_rise != 0.0:
            edits.append(RaiseSea(self.sea_level_rise))
        if self.subsidence != 0.0:
            edits.append(Subside(self.subsidence))
        if self.wind_speed > 0.0:
            edits.append(BlowWind(self.wind_speed, self.wind_direction))
        edits += [OperateGate(plan.id, plan.hours, plan.settings) for plan in self.gate_operations]
        edits += [OperatePump(plan.id, plan.hours, plan.settings) for plan in self.pump_operations]
        return edits


def name_condition(edit: Edit) -> tuple[str, str] | None:
    """Return the words for one of these edits in a title, Vietnamese and English; None for another edit."""
    match edit:
        case RepeatRain():
            return "mưa thực đo", "recorded rain"
        case SupplyRain():
            total = sum(edit.depths)
            return f"mưa dự báo {write_vi(total)} mm", f"{total:g} mm of forecast rain"
        case ScaleRain():
            return f"mưa × {write_vi(edit.factor)}", f"rain × {edit.factor:g}"
        case RaiseSea():
            return f"nước biển {write_vi(edit.metres, '+g')} m", f"sea level {edit.metres:+g} m"
        case Subside():
            return f"sụt lún {write_vi(edit.metres)} m", f"{edit.metres:g} m of subsidence"
        case BlowWind():
            speed, angle = edit.speed, edit.direction
            return f"gió {write_vi(speed)} m/s từ {write_vi(angle)}°", f"wind of {speed:g} m/s from {angle:g}°"
        case OperateGate():
            return f"vận hành cống {edit.gate_id}", f"gate {edit.gate_id} worked by hand"
        case OperatePump():
            return f"vận hành bơm {edit.pump_id}", f"pump {edit.pump_id} worked by hand"
    return None


def write_vi(value: float, style: str = "g") -> str:
    """Return a number as Vietnamese writes it: with a comma."""
    return format(value, style).replace(".", ",")
