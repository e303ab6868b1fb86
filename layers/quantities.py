"""Physical quantities: unit (UCUM), CF standard name and the range a value can have.

SI inside; conversion happens only at import and on screen. Names follow the CF standard name table and
SWMM; units follow UCUM, as SensorThings asks.
"""

from dataclasses import dataclass

from layers.errors import InputError


@dataclass(frozen=True, slots=True)
class Quantity:
    """A measurable thing with one unit inside the system.

    ``unit`` is UCUM, ``symbol`` is what a person reads; ``minimum`` and ``maximum`` bound what can be true
    on this planet, not what is usual.
    """

    name: str
    unit: str
    symbol: str
    cf_standard_name: str | None = None
    minimum: float = -1.0e12
    maximum: float = 1.0e12


_ALL = (
    Quantity("length", "m", "m", None, 0.0, 1.0e7),
    Quantity("width", "m", "m", None, 0.0, 2.0e4),
    Quantity("height", "m", "m", "height", 0.0, 1000.0),
    Quantity("diameter", "m", "m", None, 0.0, 20.0),
    Quantity("area", "m2", "m²", "area", 0.0, 1.0e12),
    Quantity("volume", "m3", "m³", None, 0.0, 1.0e12),
    Quantity("depth", "m", "m", "flood_water_thickness", 0.0, 200.0),
    Quantity("depth_change", "m", "m", None, -200.0, 200.0),
    Quantity("elevation", "m", "m", "height_above_geopotential_datum", -500.0, 9000.0),
    Quantity("stage", "m", "m", "water_surface_height_above_reference_datum", -50.0, 9000.0),
    Quantity("velocity", "m/s", "m/s", "sea_water_speed", 0.0, 100.0),
    Quantity("discharge", "m3/s", "m³/s", "water_volume_transport_in_river_channel", -1.0e6, 1.0e6),
    Quantity("unit_discharge", "m2/s", "m²/s", None, -1.0e4, 1.0e4),
    Quantity("hazard", "m2/s", "m²/s", None, 0.0, 1.0e4),
    Quantity("mannings_n", "s/m1/3", "s/m^⅓", None, 0.005, 2.0),
    Quantity("slope", "1", "–", None, -10.0, 10.0),
    Quantity("rainfall", "mm", "mm", "thickness_of_rainfall_amount", 0.0, 5000.0),
    Quantity("rainfall_intensity", "mm/h", "mm/h", "rainfall_rate", 0.0, 2000.0),
    Quantity("duration", "s", "s", None, 0.0, 1.0e10),
    Quantity("time_change", "s", "s", None, -1.0e12, 1.0e12),
    Quantity("speed", "km/h", "km/h", None, 0.0, 300.0),
    Quantity("daily_volume", "m3/d", "m³/ngày", None, -1.0e10, 1.0e10),
    Quantity("head", "m", "m", None, -100.0, 10_000.0),
    Quantity("pressure", "kPa", "kPa", None, -100.0, 1.0e5),
    Quantity("hazen_williams_c", "1", "–", None, 10.0, 250.0),
    Quantity("loss_coefficient", "1", "–", None, 0.0, 1.0e4),
    Quantity("leakage_index", "1", "–", None, 0.0, 1.0e6),
    Quantity("mass", "kg", "kg", None, 0.0, 1.0e12),
    Quantity("daily_mass", "kg/d", "kg/ngày", None, 0.0, 1.0e10),
    Quantity("concentration", "mg/L", "mg/L", None, 0.0, 1.0e6),
    Quantity("air_concentration", "ug/m3", "µg/m³", None, 0.0, 1.0e7),
    Quantity("sound_level", "dB", "dB", "sound_pressure_level_in_air", 0.0, 200.0),
    Quantity("temperature", "Cel", "°C", "air_temperature", -90.0, 100.0),
    Quantity("ph", "[pH]", "pH", None, 0.0, 14.0),
    Quantity("energy", "kW.h", "kWh", None, 0.0, 1.0e12),
    Quantity("apparent_power", "kV.A", "kVA", None, 0.0, 1.0e8),
    Quantity("frequency", "MHz", "MHz", None, 0.0, 1.0e6),
    Quantity("angle", "deg", "°", None, 0.0, 360.0),
    Quantity("money", "{VND}", "đồng", None, 0.0, 1.0e16),
    Quantity("power", "W", "W", None, 0.0, 1.0e12),
    Quantity("voltage", "V", "V", None, 0.0, 2.0e6),
    Quantity("current", "A", "A", None, 0.0, 1.0e6),
    Quantity("cross_section", "mm2", "mm²", None, 0.0, 1.0e4),
    Quantity("luminous_flux", "lm", "lm", None, 0.0, 1.0e7),
    Quantity("ratio", "1", "–", None, 0.0, 1.0),
    Quantity("volume_change", "m3", "m³", None, -1.0e12, 1.0e12),
    Quantity("capacity_use", "1", "–", None, 0.0, 1.0e4),
    Quantity("return_period", "a", "năm", None, 0.0, 1.0e5),
    Quantity("share_change", "1", "–", None, -1.0e3, 1.0e6),
    Quantity("floor_area_ratio", "1", "–", None, 0.0, 50.0),
    Quantity("count", "{#}", "", None, 0.0, 1.0e12),
    Quantity("count_change", "{#}", "", None, -1.0e12, 1.0e12),
    Quantity("vehicle_weight", "t", "tấn", None, 0.0, 1000.0),
    Quantity("ship_weight", "t", "tấn", None, 0.0, 1.0e6),
    Quantity("road_capacity", "{pcu}/h", "xcqđ/h", None, 0.0, 1.0e5),
    Quantity("people", "{people}", "người", None, 0.0, 1.0e10),
    # What sensors observe and no property of a layer holds.
    Quantity("pump_state", "1", "–", None, 0.0, 1.0),
    Quantity("gate_opening", "1", "–", None, 0.0, 1.0),
    Quantity("water_temperature", "Cel", "°C", "sea_water_temperature", -5.0, 100.0),
    Quantity("dissolved_oxygen", "mg/L", "mg/L", "mass_concentration_of_oxygen_in_sea_water", 0.0, 60.0),
    Quantity("turbidity", "{NTU}", "NTU", "sea_water_turbidity", 0.0, 1.0e5),
    Quantity("salinity", "[ppth]", "‰", "sea_water_salinity", 0.0, 400.0),
    Quantity("water_table_depth", "m", "m", "water_table_depth", -50.0, 1000.0),
    Quantity("effluent_discharge", "m3/d", "m³/ngày", None, 0.0, 1.0e7),
    Quantity("chemical_oxygen_demand", "mg/L", "mg/L", None, 0.0, 1.0e6),
    Quantity("pm2p5", "ug/m3", "µg/m³", "mass_concentration_of_pm2p5_ambient_aerosol_particles_in_air", 0.0, 1.0e5),
    Quantity("pm10", "ug/m3", "µg/m³", "mass_concentration_of_pm10_ambient_aerosol_particles_in_air", 0.0, 1.0e5),
    Quantity("nitrogen_dioxide", "ug/m3", "µg/m³", "mass_concentration_of_nitrogen_dioxide_in_air", 0.0, 1.0e5),
    Quantity("air_temperature", "Cel", "°C", "air_temperature", -90.0, 70.0),
    Quantity("relative_humidity", "%", "%", "relative_humidity", 0.0, 110.0),
    Quantity("light_level", "1", "–", None, 0.0, 1.0),
    Quantity("active_power", "W", "W", None, -1.0e10, 1.0e10),
    Quantity("vehicle_count", "{#}", "xe", None, 0.0, 1.0e6),
    Quantity("vehicle_speed", "km/h", "km/h", None, 0.0, 300.0),
    Quantity("motorbike_count", "{#}", "xe", None, 0.0, 1.0e6),
    Quantity("car_count", "{#}", "xe", None, 0.0, 1.0e6),
    Quantity("truck_count", "{#}", "xe", None, 0.0, 1.0e6),
    Quantity("bus_count", "{#}", "xe", None, 0.0, 1.0e6),
    Quantity("occupancy", "1", "–", None, 0.0, 1.0),
    Quantity("filling_level", "1", "–", None, 0.0, 1.0),
    Quantity("bay_occupied", "1", "–", None, 0.0, 1.0),
    Quantity("energy_imported", "kW.h", "kWh", None, 0.0, 1.0e12),
    Quantity("year", "a", "", None, 1000.0, 2200.0),
)

QUANTITIES: dict[str, Quantity] = {quantity.name: quantity for quantity in _ALL}

_TO_SI: dict[str, tuple[str, float]] = {
    "m": ("m", 1.0), "mm": ("m", 1e-3), "cm": ("m", 1e-2), "dm": ("m", 0.1), "km": ("m", 1e3),
    "ft": ("m", 0.3048), "us-ft": ("m", 1200.0 / 3937.0), "in": ("m", 0.0254), "mi": ("m", 1609.344),
    "m2": ("m2", 1.0), "mm2": ("m2", 1e-6),
    "ha": ("m2", 1e4), "km2": ("m2", 1e6), "ft2": ("m2", 0.3048**2), "acre": ("m2", 4046.8564224),
    "m3": ("m3", 1.0), "l": ("m3", 1e-3), "ft3": ("m3", 0.3048**3), "gal": ("m3", 0.003785411784),
    "m/s": ("m/s", 1.0), "ft/s": ("m/s", 0.3048), "km/h": ("m/s", 1.0 / 3.6), "mph": ("m/s", 0.44704),
    "m3/s": ("m3/s", 1.0), "l/s": ("m3/s", 1e-3), "L/s": ("m3/s", 1e-3),
    "ft3/s": ("m3/s", 0.3048**3), "m3/d": ("m3/s", 1.0 / 86400.0),
    "MGD": ("m3/s", 3785.411784 / 86400.0),
    "m3/h": ("m3/s", 1.0 / 3600.0), "l/min": ("m3/s", 1e-3 / 60.0), "gal/min": ("m3/s", 0.003785411784 / 60.0),
    "Pa": ("Pa", 1.0), "hPa": ("Pa", 100.0), "kPa": ("Pa", 1e3), "MPa": ("Pa", 1e6),
    "bar": ("Pa", 1e5), "kgf/cm2": ("Pa", 98066.5),
    "mH2O": ("Pa", 9806.65), "psi": ("Pa", 6894.757293168361),
    "kg": ("kg", 1.0), "g": ("kg", 1e-3), "t": ("kg", 1e3), "lb": ("kg", 0.45359237),
    "kg/d": ("kg/s", 1.0 / 86400.0), "t/d": ("kg/s", 1e3 / 86400.0),
    "kg/m3": ("kg/m3", 1.0), "g/L": ("kg/m3", 1.0), "mg/L": ("kg/m3", 1e-3), "ug/L": ("kg/m3", 1e-6),
    "mg/m3": ("kg/m3", 1e-6), "ug/m3": ("kg/m3", 1e-9),
    "J": ("J", 1.0), "W.h": ("J", 3600.0), "kW.h": ("J", 3.6e6), "MW.h": ("J", 3.6e9),
    "V.A": ("V.A", 1.0), "kV.A": ("V.A", 1e3), "MV.A": ("V.A", 1e6),
    "Hz": ("Hz", 1.0), "kHz": ("Hz", 1e3), "MHz": ("Hz", 1e6), "GHz": ("Hz", 1e9),
    "{VND}": ("{VND}", 1.0), "{thousand VND}": ("{VND}", 1e3), "{million VND}": ("{VND}", 1e6),
    "{billion VND}": ("{VND}", 1e9),
    "W": ("W", 1.0), "kW": ("W", 1e3), "MW": ("W", 1e6), "HP": ("W", 745.6998715822702),
    "A": ("A", 1.0), "mA": ("A", 1e-3), "V": ("V", 1.0), "kV": ("V", 1e3), "s": ("s", 1.0), "ms": ("s", 1e-3),
    "min": ("s", 60.0), "h": ("s", 3600.0), "d": ("s", 86400.0),
    "1": ("1", 1.0), "%": ("1", 1e-2), "mm/h": ("mm/h", 1.0), "in/h": ("mm/h", 25.4), "lm": ("lm", 1.0),
}  # fmt: skip


def conversion_factor(unit: str, target: str) -> float:
    """Return what a value in ``unit`` is multiplied by to be in ``target``.

    Raises InputError for an unknown unit or two that do not measure the same thing. ``mm`` of rain stays
    ``mm``: equal units need no table.
    """
    if unit == target:
        return 1.0
    for name in (unit, target):
        if name not in _TO_SI:
            raise InputError(f"unit '{name}' is not known", hint=f"use one of {', '.join(sorted(_TO_SI))}")
    (base, factor), (target_base, target_factor) = _TO_SI[unit], _TO_SI[target]
    if base != target_base:
        raise InputError(f"unit '{unit}' cannot become '{target}': they measure different things")
    return factor / target_factor
