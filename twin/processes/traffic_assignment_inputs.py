"""What an assignment is asked: whose trips, at which hour, on which roads, and how exact it shall be."""

from datetime import datetime
from typing import Literal, Self

from pydantic import model_validator

from layers.schema import Text
from twin.process import Inputs, describe
from twin.traffic.files import FileText

CLASS_TITLES = {
    "motorbike": Text("Xe máy", "Motorbikes"),
    "car": Text("Ô tô con", "Cars"),
    "truck": Text("Xe tải", "Trucks"),
}


class TrafficAssignmentInputs(Inputs):
    """Whose trips, at which hour, on which roads, and how exact it shall be."""

    network: FileText | None = describe(
        Text("Mạng có sẵn", "Published network"),
        Text(
            "Thay cho đường của thành phố: văn bản TNTP, hoặc GMNS nén ZIP. Dòng lệnh nhận tên tệp hoặc thư mục.",
            "Instead of the city's roads: TNTP text, or GMNS as a ZIP; the command line takes a file or folder.",
        ),
        default=None,
    )
    trips: FileText | None = describe(
        Text("Chuyến đi cho trước", "Given trips"),
        Text(
            "Văn bản TNTP, hoặc CSV có cột origin, destination, trips và có thể class; bỏ trống thì tính từ dân cư.",
            "TNTP text, or CSV with origin, destination, trips, and perhaps class; made from people if not given.",
        ),
        default=None,
    )
    counts: FileText | None = describe(
        Text("Số đếm xe", "Counts"),
        Text(
            "CSV có cột road_link_id, way, count (xe/giờ): chuyến đi được chỉnh cho gần với số đếm.",
            "CSV with road_link_id, way, count (vehicles an hour): trips are brought nearer to them.",
        ),
        default=None,
    )
    hour: int = describe(
        Text("Giờ", "Hour"),
        Text("Giờ trong ngày bắt đầu đi.", "The hour of the day that trips begin in."),
        unit="h",
        default=17,
        ge=0,
        le=23,
    )
    trips_per_person: float = describe(
        Text("Chuyến xe mỗi người mỗi ngày", "Vehicle trips a person and day"),
        Text("Tính từ dân cư: số chuyến bằng xe của một người.", "From people: trips by vehicle of one inhabitant."),
        unit="1/d",
        default=1.6,
        gt=0.0,
        le=20.0,
    )
    mean_time: float | None = describe(
        Text("Thời gian đi trung bình", "Mean time of a trip"),
        Text(
            "Mô hình hấp dẫn được chỉnh theo đó; bỏ trống thì sức cản lấy một phần ba thời gian giữa các vùng.",
            "The gravity model is calibrated to it; its scale is a third of the time between zones if not given.",
        ),
        unit="min",
        default=None,
        gt=0.0,
        le=300.0,
    )
    zone_size: float = describe(
        Text("Cỡ vùng", "Zone size"),
        Text(
            "Ô dân cư được gộp theo lưới cỡ này khi không có lớp vùng giao thông.",
            "Cells of people are gathered on such a grid where there is no layer of zones.",
        ),
        unit="m",
        default=600.0,
        ge=50.0,
        le=20_000.0,
    )
    motorbike_share: float = describe(
        Text("Tỷ lệ xe máy", "Share of motorbikes"),
        Text("Phần chuyến đi bằng xe máy.", "Of the trips, by motorbike."),
        unit="1",
        default=0.80,
        ge=0.0,
        le=1.0,
    )
    truck_share: float = describe(
        Text("Tỷ lệ xe tải", "Share of trucks"),
        Text("Phần chuyến đi bằng xe tải; còn lại là ô tô con.", "Of the trips, by truck; the rest goes by car."),
        unit="1",
        default=0.04,
        ge=0.0,
        le=1.0,
    )
    motorbike_pcu: float = describe(
        Text("Hệ số quy đổi xe máy", "Car units of a motorbike"),
        Text("Một xe máy chiếm chỗ bằng mấy ô tô con.", "How much room a motorbike takes, in cars."),
        unit="1",
        default=0.25,
        gt=0.0,
        le=2.0,
    )
    truck_pcu: float = describe(
        Text("Hệ số quy đổi xe tải", "Car units of a truck"),
        Text("Một xe tải chiếm chỗ bằng mấy ô tô con.", "How much room a truck takes, in cars."),
        unit="1",
        default=2.5,
        gt=0.0,
        le=10.0,
    )
    delay: Literal["bpr", "conical"] = describe(
        Text("Hàm thời gian", "Delay function"),
        Text("Đường chậm lại thế nào khi đông xe.", "How roads slow down as they fill."),
        choices={"bpr": Text("BPR", "BPR"), "conical": Text("Cônic (Spiess)", "Conical (Spiess)")},
        default="bpr",
    )
    gap: float = describe(
        Text("Sai lệch cân bằng", "Relative gap"),
        Text(
            "Tính đến khi thời gian đi cả thảy chỉ còn hơn mức tối thiểu chừng này.",
            "Until the time spent by all exceeds the least possible by no more than this share.",
        ),
        unit="1",
        default=1e-6,
        ge=1e-12,
        le=0.1,
    )
    max_iterations: int = describe(
        Text("Số vòng tối đa", "Most rounds"),
        Text("Dừng sau chừng này vòng, dù chưa đạt.", "Stops after so many rounds, come what may."),
        unit="1",
        default=300,
        ge=1,
        le=5000,
    )
    works: bool = describe(
        Text("Kể cả cấm đường", "Heed road works"),
        Text("Theo lớp cấm đường, công trường đang có hiệu lực.", "Closures and road works in force."),
        default=True,
    )
    at: datetime | None = describe(
        Text("Lúc", "At"),
        Text("Thời điểm xét cấm đường, nước ngập.", "The time at which closures and water are looked at."),
        default=None,
    )
    closed: tuple[str, ...] = describe(
        Text("Cấm thêm", "Also closed"),
        Text("Mã các đoạn đường không ai được đi.", "Ids of roads that nobody may use."),
        default=(),
        max_length=1000,
    )
    flood_run: str | None = describe(
        Text("Lần chạy ngập", "Flood run"),
        Text("Nước của lần chạy này làm chậm, cấm đường.", "Water of this run slows and closes roads."),
        default=None,
        min_length=1,
        max_length=100,
    )
    base: str | None = describe(
        Text("Lần chạy gốc", "Base run"),
        Text(
            "Một lần phân bổ trước trên cùng mạng: bắt đầu từ đó và nói chỗ thay đổi.",
            "An earlier assignment of the same roads, to start from and to compare with.",
        ),
        default=None,
        min_length=1,
        max_length=100,
    )
    select: tuple[str, ...] = describe(
        Text("Đoạn đường chọn", "Chosen roads"),
        Text(
            "Mã các đoạn đường: dòng xe đi qua đó từ đâu, về đâu.",
            "Ids of roads: where the traffic on them comes from and goes to.",
        ),
        default=(),
        max_length=100,
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.network is not None and self.trips is None:
            raise ValueError("a network is given without trips: give both")
        if self.motorbike_share + self.truck_share > 1.0 + 1e-9:
            raise ValueError(
                f"motorbike_share {self.motorbike_share:g} and truck_share {self.truck_share:g} exceed 1 together"
            )
        return self

    @property
    def shares(self) -> dict[str, float]:
        """The share of trips of each class."""
        car = max(1.0 - self.motorbike_share - self.truck_share, 0.0)
        return {"motorbike": self.motorbike_share, "car": car, "truck": self.truck_share}

    @property
    def pcu(self) -> dict[str, float]:
        """The passenger car units of each class."""
        return {"motorbike": self.motorbike_pcu, "car": 1.0, "truck": self.truck_pcu}
