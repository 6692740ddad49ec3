"""The invented people who can sign in to the embedded run. No real person is meant."""

from dataclasses import dataclass

READING = ("households.read", "funding.read", "training.read", "reports.read")
# Who fills in form B records what it says of health, and reports it by forms 7.4 to 7.10: they read it too, within
# their area and on record. Who only looks on does not.
COMMUNE = (
    "households.lookup",
    *READING,
    "households.write",
    "reviews.record",
    "reviews.decide",
    "indicators.read",
)


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody to sign in as. `areas` are codes of administrative units; VN is the whole country."""

    id: str
    name: str
    duty: str
    permissions: tuple[str, ...]
    areas: tuple[str, ...]


OFFICERS = (
    Officer(
        "tinh-gia-lai",
        "Nguyễn Thị Minh Hà",
        "Thống kê tỉnh Gia Lai",
        (*READING, "areas.write", "reviews.opine", "simulations.write", "indicators.read"),
        ("64",),
    ),
    Officer(
        "huyen-kong-chro",
        "Siu Thoan",
        "Cán bộ giảm nghèo huyện Kông Chro",
        (*COMMUNE, "areas.write", "audit.read", "reviews.opine", "simulations.write"),
        ("630",),
    ),
    Officer("xa-chu-krey", "Đinh Văn Klơi", "Cán bộ giảm nghèo xã Chư Krey", COMMUNE, ("23827",)),
    Officer(
        "mat-tran-chu-krey",
        "Rơ Châm Hlinh",
        "Ủy ban Mặt trận Tổ quốc xã Chư Krey (giám sát, chỉ xem)",
        READING,
        ("23827",),
    ),
    Officer("xa-an-trung", "Đinh Thị Byưm", "Cán bộ giảm nghèo xã An Trung", COMMUNE, ("23830",)),
    Officer(
        "ngan-sach",
        "Trần Quốc Bảo",
        "Quản lý ngân sách tỉnh Gia Lai",
        ("funding.read", "budget.write", "reports.read"),
        ("64",),
    ),
    Officer(
        "tap-huan",
        "Lê Thu Phương",
        "Tổ chức tập huấn tỉnh Gia Lai",
        ("training.read", "training.write", "reports.read"),
        ("64",),
    ),
    Officer(
        "van-hanh",
        "Phạm Anh Tuấn",
        "Vận hành hệ thống",
        ("operate", "law.write", "data.erase", "audit.read", "funding.read", "training.read", "reports.read"),
        ("VN",),
    ),
)
BY_ID = {officer.id: officer for officer in OFFICERS}
