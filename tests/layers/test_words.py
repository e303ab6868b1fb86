"""Words of other standards: each names a class that the standard has, and no two properties claim the same."""

import re

import pytest

from layers.registry import VECTOR_LAYERS
from layers.schema import VectorLayer

# Classes and sections that exist: INSPIRE application schemas (US 4.0, TN, AU, AD, BU, CP, EF, ELU, GOV, HY, PF, PLU),
# SWMM 5.2 and EPANET 2.2 input sections, VSA-DSS 2015 tables as TEKSI names them, Smart Data Models, TALQ 2.6.
INSPIRE = {
    "us-net-common": {
        "Appurtenance", "Cabinet", "Duct", "Manhole", "Pipe", "Pole", "TelecommunicationsCable", "Tower",
        "UtilityNetwork",
    },
    "us-net-wa": {"WaterPipe"},
    "us-net-sw": {"SewerPipe"},
    "us-net-el": {"ElectricityCable"},
    "us-govserv": {"EnvironmentalManagementFacility", "GovernmentalService"},
    "tn": {"AccessRestriction", "TrafficFlowDirection"},
    "tn-a": {"AerodromeNode"},
    "tn-ro": {
        "FunctionalRoadClass", "NumberOfLanes", "RoadLink", "RoadNode", "RoadSurfaceCategory", "RoadWidth",
        "SpeedLimit",
    },
    "tn-ra": {"NominalTrackGauge", "NumberOfTracks", "RailwayElectrification", "RailwayLink"},
    "tn-w": {"FerryUse", "PortNode", "WaterwayLink"},
    "au": {"AdministrativeUnit"},
    "ad": {"Address", "PostalDescriptor", "ThoroughfareName"},
    "bu-core2d": {"Building"},
    "cp": {"CadastralParcel"},
    "ef": {"EnvironmentalMonitoringFacility"},
    "elu": {"ExistingLandUseObject"},
    "hy-p": {"Embankment", "StandingWater", "Watercourse"},
    "pd": {"StatisticalDistribution"},
    "pf": {"ProductionFacility"},
    "plu": {"SpatialPlan", "ZoningElement"},
}  # fmt: skip
CLASSES = {
    "inspire": {f"{prefix}:{name}" for prefix, names in INSPIRE.items() for name in names},
    "swmm": {
        "CONDUITS", "JUNCTIONS", "ORIFICES", "OUTFALLS", "PUMPS", "RAINGAGES", "STORAGE", "SUBCATCHMENTS", "WEIRS",
        "XSECTIONS",
    },
    "epanet": {"ENERGY", "JUNCTIONS", "PIPES", "PUMPS", "RESERVOIRS", "STATUS", "TANKS", "VALVES"},
    "vsa": {
        "catchment_area", "channel", "cover", "discharge_point", "manhole", "pipe_profile", "prank_weir", "pump",
        "reach", "reach_point", "special_structure", "throttle_shut_off_unit", "wastewater_node",
        "wastewater_structure",
    },
    "fiware": {
        "AirQualityObserved", "Garden", "GtfsRoute", "GtfsStop", "Junction", "NoiseLevelObserved", "OffStreetParking",
        "OnStreetParking", "ParkingAccess", "ParkingSpot", "Pipe", "Pump", "Reservoir", "Streetlight",
        "StreetlightControlCabinet", "StreetlightFeeder", "StreetlightModel", "Tank", "TrafficFlowObserved", "Valve",
        "WasteContainer", "WasteContainerIsle", "WasteContainerModel", "WaterQualityObserved",
    },
    "talq": {
        "CabinetConfigurationFunction", "CabinetMonitorFunction", "ElectricalMeterFunction",
        "FillingLevelSensorFunction", "LampActuatorFunction", "LampMonitorFunction", "LuminaireAssetFunction",
        "LuminaireType", "ParkingSensorFunction", "SegmentMonitorFunction", "WasteContainerFunction",
    },
    "citygml": {"bldg:Building"},
    "gtfs": {"agency", "routes", "shapes", "stops", "trips"},
    "sensorthings": {"Thing"},
    "gmns": {"link", "movement", "node", "signal_timing_plan", "zone"},
    "wzdx": {"FeedDataSource", "RoadEventCoreDetails", "RoadEventFeature", "TypeOfWork", "WorkZoneRoadEvent"},
}  # fmt: skip
VALUES_ONLY = {"asce38"}
# OpenStreetMap has no classes: its words are tags, a key or a key with its value.
TAGS = {"osm"}
TAG = re.compile(r"^[a-z_]+(:[a-z_]+)*(=[a-z_]+)?$")
VALUE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_\-]*$")
ATTRIBUTE = re.compile(r"^(%?[A-Za-z][A-Za-z0-9_.]*|Status/Setting)$")


def split_word(word: str) -> tuple[str, str]:
    """Return class and attribute of ``Class.attribute``; an attribute may itself have parts."""
    owner, _, attribute = word.partition(".")
    return owner, attribute


@pytest.mark.parametrize("layer", VECTOR_LAYERS.values(), ids=lambda layer: layer.id)
def test_a_layer_names_classes_that_exist(layer: VectorLayer) -> None:
    for standard, words in layer.words.items():
        found = words.split("|")
        if standard in TAGS:
            assert all(TAG.match(word) for word in found), f"{layer.id}: {standard} {words}"
            continue
        assert set(found) <= CLASSES[standard], f"{layer.id}: {standard} {words}"
        assert len(found) == len(set(found)), f"{layer.id}: {standard} {words}"


@pytest.mark.parametrize("layer", VECTOR_LAYERS.values(), ids=lambda layer: layer.id)
def test_a_property_names_an_attribute_of_a_class_and_no_other_property_does(layer: VectorLayer) -> None:
    seen: dict[tuple[str, str], str] = {}
    for prop in layer.properties:
        for standard, words in prop.words.items():
            for word in words.split("|"):
                where = f"{layer.id}.{prop.name}: {standard} {word}"
                if standard in TAGS:
                    assert TAG.match(word), where
                else:
                    owner, attribute = split_word(word)
                    assert owner in CLASSES[standard], where
                    assert attribute == "" or ATTRIBUTE.match(attribute), where
                assert (standard, word) not in seen, f"{where}, as {seen.get((standard, word))} does"
                seen[standard, word] = prop.name


@pytest.mark.parametrize("layer", VECTOR_LAYERS.values(), ids=lambda layer: layer.id)
def test_a_code_names_a_value_and_no_other_code_does(layer: VectorLayer) -> None:
    for prop in layer.properties:
        seen: dict[tuple[str, str], str] = {}
        for code in prop.codes:
            for standard, words in code.words.items():
                for word in words.split("|"):
                    where = f"{layer.id}.{prop.name} '{code.value}': {standard} {word}"
                    assert standard in CLASSES.keys() | VALUES_ONLY | TAGS, where
                    assert (TAG if standard in TAGS else VALUE).match(word), where
                    assert (standard, word) not in seen, f"{where}, as '{seen.get((standard, word))}' does"
                    seen[standard, word] = code.value


def test_every_standard_is_used_and_every_known_class() -> None:
    used: dict[str, set[str]] = {standard: set() for standard in CLASSES}
    for layer in VECTOR_LAYERS.values():
        for standard, words in layer.words.items():
            if standard in used:
                used[standard] |= set(words.split("|"))
        for prop in layer.properties:
            for standard, words in prop.words.items():
                if standard in used:
                    used[standard] |= {split_word(word)[0] for word in words.split("|")}
            for code in prop.codes:
                for standard, words in code.words.items():
                    if standard in used:
                        used[standard] |= set(words.split("|")) & CLASSES[standard]
    unused = {standard: CLASSES[standard] - names for standard, names in used.items()}
    assert not any(unused.values()), unused
