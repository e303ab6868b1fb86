"""Public lighting: luminaires, cabinets, circuits. Words after TALQ and FIWARE."""

from layers.schema import Style, Text, VectorLayer, code, coded, integer, number, text
from layers.types.inventory import STATE
from layers.types.power import LAYING

LAYERS = (
    VectorLayer(
        id="luminaires",
        theme="lighting",
        title=Text("Đèn đường", "Street lights"),
        description=Text("Bộ đèn chiếu sáng công cộng.", "Public luminaires."),
        geometry="Point",
        properties=(
            text("circuit_id", "Mạch", "Circuit", words={"fiware": "Streetlight.circuit"}),
            text(
                "cabinet_id", "Tủ điều khiển", "Cabinet", words={"fiware": "Streetlight.refStreetlightControlCabinet"}
            ),
            coded(
                "lamp_type",
                "Loại đèn",
                "Lamp",
                code("led", "LED", "LED", "#e8b500", words={"fiware": "LED"}),
                code(
                    "sodium", "Natri cao áp", "High-pressure sodium", "#e07b00", words={"fiware": "highPressureSodium"}
                ),
                code("mercury", "Thủy ngân", "Mercury", "#7c8fb5", words={"fiware": "highPressureMercury"}),
                code("halide", "Halogen kim loại", "Metal halide", "#b58fc7"),
                words={"fiware": "StreetlightModel.lampTechnology", "talq": "LuminaireType.lightSourceType"},
            ),
            number(
                "power",
                "Công suất",
                "Power",
                "power",
                words={"fiware": "StreetlightModel.maxPowerConsumption", "talq": "LuminaireType.powerConsumption"},
            ),
            number(
                "luminous_flux",
                "Quang thông",
                "Luminous flux",
                "luminous_flux",
                words={"fiware": "StreetlightModel.luminousFlux"},
            ),
            number(
                "mounting_height",
                "Chiều cao lắp",
                "Mounting height",
                "height",
                words={"fiware": "Streetlight.laternHeight"},
            ),
            text("pole_id", "Cột", "Pole", words={"fiware": "Streetlight.streetPoleNum"}),
            coded(
                "phase",
                "Pha",
                "Phase",
                code("L1", "Pha A", "L1"),
                code("L2", "Pha B", "L2"),
                code("L3", "Pha C", "L3"),
            ),
            *STATE,
        ),
        style=Style("#e8b500", by="lamp_type", radius=2.5, outline="#8c7000", icon="lamp"),
        rank=70,
        min_zoom=12,
        visible=False,
        words={
            "talq": "LampActuatorFunction|LampMonitorFunction|LuminaireAssetFunction",
            "fiware": "Streetlight|StreetlightModel",
            "inspire": "us-net-common:Appurtenance",
        },
    ),
    VectorLayer(
        id="lighting_cabinets",
        theme="lighting",
        title=Text("Tủ chiếu sáng", "Lighting cabinets"),
        description=Text("Tủ điều khiển chiếu sáng.", "Feeder cabinets of public lighting."),
        geometry="Point",
        properties=(
            text("name", "Tên", "Name", in_tiles=True),
            number("voltage", "Điện áp", "Voltage", "voltage"),
            number(
                "rated_power",
                "Công suất định mức",
                "Rated power",
                "power",
                words={"fiware": "StreetlightControlCabinet.maximumPowerAvailable"},
            ),
            number("base_elevation", "Cao độ bệ tủ", "Base elevation", "elevation"),
            text("ward_code", "Mã phường/xã", "Ward code"),
            *STATE,
        ),
        style=Style("#b8860b", radius=5.0, outline="#ffffff", icon="cabinet"),
        rank=72,
        min_zoom=14,
        visible=False,
        words={
            "talq": "CabinetConfigurationFunction|CabinetMonitorFunction|ElectricalMeterFunction",
            "fiware": "StreetlightControlCabinet",
            "inspire": "us-net-common:Cabinet",
        },
    ),
    VectorLayer(
        id="lighting_circuits",
        theme="lighting",
        title=Text("Mạch chiếu sáng", "Lighting circuits"),
        description=Text("Cáp cấp điện cho đèn theo mạch.", "Cables that feed the luminaires, by circuit."),
        geometry="LineString",
        properties=(
            text("circuit_id", "Mạch", "Circuit"),
            text("cabinet_id", "Tủ điều khiển", "Cabinet"),
            coded("laying", "Kiểu đi dây", "Laying", *LAYING),
            number("length", "Chiều dài", "Length", "length"),
            coded(
                "conductor_material",
                "Ruột dẫn",
                "Conductor",
                code("copper", "Đồng", "Copper"),
                code("aluminium", "Nhôm", "Aluminium"),
            ),
            number("cross_section", "Tiết diện ruột dẫn", "Cross-section", "cross_section"),
            integer("phases", "Số pha", "Phases"),
            number("fuse_rating", "Dòng định mức cầu chì, aptomat", "Rating of fuse or breaker", "current"),
            *STATE,
        ),
        style=Style("#c9a227", width=1.2, dash=(3.0, 2.0)),
        rank=52,
        min_zoom=15,
        visible=False,
        words={
            "talq": "SegmentMonitorFunction",
            "fiware": "StreetlightFeeder",
            "inspire": "us-net-el:ElectricityCable",
        },
    ),
)
