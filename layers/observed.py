"""What sensors of each kind observe: quantities by name, the one the kind is known by first.

Units are those of ``layers.quantities`` (UCUM). Names follow CF where it has one, else TALQ (lights), FIWARE (bins,
bays, traffic) and SWMM (pumps, gates).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from layers.quantities import QUANTITIES
from layers.schema import Text


@dataclass(frozen=True, slots=True)
class Observed:
    """One observed property: its name, that of a quantity, and its title."""

    name: str
    title: Text

    @property
    def unit(self) -> str:
        """The unit (UCUM) its results are in."""
        return QUANTITIES[self.name].unit


OBSERVED: Mapping[str, tuple[Observed, ...]] = MappingProxyType(
    {
        "stage": (Observed("stage", Text("Mực nước", "Stage")),),
        "rain": (Observed("rainfall", Text("Lượng mưa 10 phút", "Rainfall in 10 minutes")),),
        "flow": (Observed("discharge", Text("Lưu lượng", "Discharge")),),
        "pump": (Observed("pump_state", Text("Trạng thái bơm", "Pump state")),),
        "gate": (Observed("gate_opening", Text("Độ mở cửa van", "Gate opening")),),
        "water_quality": (
            Observed("dissolved_oxygen", Text("Oxy hòa tan", "Dissolved oxygen")),
            Observed("ph", Text("Độ pH", "pH")),
            Observed("turbidity", Text("Độ đục", "Turbidity")),
            Observed("salinity", Text("Độ mặn", "Salinity")),
            Observed("water_temperature", Text("Nhiệt độ nước", "Water temperature")),
        ),
        "groundwater": (
            Observed("water_table_depth", Text("Độ sâu mực nước ngầm", "Depth of the water table")),
            Observed("salinity", Text("Độ mặn", "Salinity")),
        ),
        "licensed_discharge": (
            Observed("effluent_discharge", Text("Lưu lượng xả thải", "Effluent discharge")),
            Observed("chemical_oxygen_demand", Text("Nhu cầu oxy hóa học (COD)", "Chemical oxygen demand")),
            Observed("ph", Text("Độ pH", "pH")),
        ),
        "air_quality": (
            Observed("pm2p5", Text("Bụi mịn PM2.5", "PM2.5")),
            Observed("pm10", Text("Bụi PM10", "PM10")),
            Observed("nitrogen_dioxide", Text("Nitơ dioxit (NO₂)", "Nitrogen dioxide")),
            Observed("air_temperature", Text("Nhiệt độ không khí", "Air temperature")),
            Observed("relative_humidity", Text("Độ ẩm tương đối", "Relative humidity")),
        ),
        "light": (
            Observed("light_level", Text("Mức sáng", "Light level")),
            Observed("active_power", Text("Công suất tác dụng", "Active power")),
        ),
        "traffic": (
            Observed("vehicle_speed", Text("Tốc độ trung bình", "Mean speed")),
            Observed("vehicle_count", Text("Số xe mỗi giờ", "Vehicles in an hour")),
            Observed("occupancy", Text("Tỷ lệ chiếm đường", "Occupancy")),
        ),
        "bin_level": (Observed("filling_level", Text("Mức đầy", "Filling level")),),
        "parking_bay": (Observed("bay_occupied", Text("Có xe đỗ", "Bay occupied")),),
        "electricity_meter": (
            Observed("active_power", Text("Công suất tác dụng", "Active power")),
            Observed("energy_imported", Text("Điện năng tiêu thụ", "Energy imported")),
            Observed("voltage", Text("Điện áp", "Voltage")),
        ),
        "water_pressure": (Observed("pressure", Text("Áp lực nước", "Water pressure")),),
    }
)
