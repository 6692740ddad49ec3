"""The main job from beginning to end, on a district's real figures, told in Vietnamese as it happens."""

import datetime as dt
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from benvung import clock
from benvung.pages.formats import vi_money, vi_number, vi_percent, vi_points
from benvung_local import district, reclassify, verify
from benvung_local.client import Addresses, Officer
from benvung_local.stack import ISSUER, Ports, Stack

BUSINESS_DATE = dt.date(2024, 1, 24)
YEAR_ENDS = (dt.date(2022, 12, 31), dt.date(2023, 12, 31))
RECLASSIFICATIONS = 2000
# The article gives the two sums and names five projects, not how the money was divided among them.
PROGRAMME = "NTP_SPR_2021_2025"
MILLION = 1_000_000
MONEY = {"INVESTMENT": 54_532 * MILLION, "RECURRENT": 28_269 * MILLION}
PRODUCTS = {
    "POOR": "Cho vay hộ nghèo",
    "NEAR_POOR": "Cho vay hộ cận nghèo",
    "NEWLY_ESCAPED": "Cho vay hộ mới thoát nghèo",
}

console = Console(highlight=False, width=None if Console().is_terminal else 110)


def run() -> None:
    """Set up, tell the story, stop everything."""
    started = time.monotonic()
    clock.fix(BUSINESS_DATE)
    with tempfile.TemporaryDirectory(prefix="benvung-demo-") as folder:
        stack = Stack(ports=Ports.free(), business_date=BUSINESS_DATE)
        try:
            with console.status("Đang khởi động …") as status:
                stack.start(progress=lambda step: status.update(f"Đang khởi động: {step} …"))
            _say(
                f"Bền Vững đang chạy: bốn dịch vụ, NATS và PostgreSQL thật. Ngày nghiệp vụ {BUSINESS_DATE:%d/%m/%Y}."
            )
            Story(stack, Path(folder)).tell()
        finally:
            with console.status("Đang dừng …"):
                stack.stop()
    _say(f"\nXong sau {vi_number(time.monotonic() - started, 0)} giây; mọi thứ đã dừng.")


def addresses(stack: Stack) -> Addresses:
    """Where a stack's parts are."""
    names = ("households", "funding", "training", "reporting")
    return Addresses(stack.url(ISSUER), *(stack.url(name) for name in names))


def load(where: Addresses, folder: Path) -> None:
    """Enter both years of the district through the public API, showing progress."""
    officer = Officer(where, "huyen-kong-chro")
    with _progress() as progress:
        for year in (2022, 2023):
            bar = progress.add_task(f"Sinh bộ tệp năm {year}", total=None)
            register = None
            if year == 2022:
                district.generate(folder, year)
                district.enter_villages(officer, folder)
            else:
                register = district.export_register(
                    officer, folder / "register", district.communes_of(folder)
                )
                district.generate(folder, year, register)
            progress.update(bar, total=1, completed=1)
            district.enter_population(officer, folder, year)
            bars: dict[str, TaskID] = {}

            def show(step: str, done: int, total: int, bars: dict[str, TaskID] = bars) -> None:
                if step not in bars:
                    bars[step] = progress.add_task(step, total=total)
                progress.update(bars[step], completed=done)

            if year > 2022:
                district.enter_changes(officer, folder, year, show)
            entered = district.enter_reviews(officer, folder, year, show)
            progress.console.print(
                f"  Năm {year}: {vi_number(entered.rows)} dòng vào sổ trong {vi_number(entered.seconds, 1)} giây;"
                f" {entered.refused} dòng bị từ chối, {entered.warnings} dòng có lưu ý."
            )
    allocate(Officer(where, "ngan-sach"))
    train(Officer(where, "tap-huan"))


def allocate(officer: Officer) -> None:
    """Post the district's money of 2023: 82.801 = 54.532 + 28.269 triệu đồng."""
    officer.send(
        "POST",
        "funding",
        "/v1/allocations",
        {
            "area": district.DISTRICT,
            "year": 2023,
            "decision_number": "01/2023/QĐ-UBND",
            "decided_on": "2023-01-10",
            "total_dong": sum(MONEY.values()),
            "by_capital_type": [{"capital_type": kind, "amount_dong": dong} for kind, dong in MONEY.items()],
            "lines": [
                {"project": PROGRAMME, "capital_type": kind, "source": "CENTRAL_BUDGET", "amount_dong": dong}
                for kind, dong in MONEY.items()
            ],
        },
    )


def train(officer: Officer) -> None:
    """Record one conference as its organiser would, with a count known only as "more than 200"."""
    held = "2023-10-12"
    body: dict[str, Any] = {
        "area": district.DISTRICT,
        "component": "DA7.1",
        "form": "CONFERENCE",
        "title": "Hội nghị tập huấn công tác giảm nghèo (minh họa)",
        "organiser": {"name": "UBND huyện Kông Chro", "level": "DISTRICT", "area": district.DISTRICT},
        "topics": [{"number": "90/QĐ-TTg"}, {"number": "24/2021/QĐ-TTg"}],
        "planned_from": held,
        "planned_to": held,
    }
    course = officer.send("POST", "training", "/v1/classes", body)
    officer.send(
        "POST",
        "training",
        f"/v1/classes/{course['id']}/completion",
        {"held_on": held, "ended_on": held, "participants": 200, "count_qualifier": "GREATER"},
    )


class Story:
    """What the demonstration shows, step by step."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder, self.where = stack, folder, addresses(stack)

    def tell(self) -> None:
        """All of it, in order."""
        _title("1. Kết quả rà soát của 14 xã, thị trấn huyện Kông Chro, nhập qua API công khai")
        load(self.where, self.folder)
        self.officer = Officer(self.where, "huyen-kong-chro")
        self._compared("Sau khi nhập")
        _title("2. Báo cáo tự theo")
        self._situation()
        self._movements()
        _title("3. Điều kiện vay tự theo")
        self._eligibility()
        _title("4. Vốn của chương trình năm 2023")
        self._money()
        _title("5. Một hộ, một quyết định")
        self._one()
        _title(f"6. {vi_number(RECLASSIFICATIONS)} quyết định, giữa chừng NATS và dịch vụ vốn bị SIGKILL")
        self._many()

    def _situation(self) -> None:
        found = self.officer.get("reporting", "/v1/situation", area=district.DISTRICT, on=str(YEAR_ENDS[1]))
        poor, recorded = found["classes"]["POOR"], found["recorded"]
        change = float(poor["change"]["points"])
        _say(
            f"Cuối năm 2023: [bold]{vi_number(poor['households'])} hộ nghèo[/],"
            f" [bold]{vi_percent(poor['household_rate']['percent'])}[/] trong {vi_number(recorded['households'])} hộ,"
            f" {'giảm' if change < 0 else 'tăng'} [bold]{vi_points(abs(change))}[/] so với cuối năm 2022."
        )

    def _movements(self) -> None:
        found = self.officer.get("reporting", "/v1/movements", area=district.DISTRICT, year=2023)
        for form in found["forms"]:
            table = Table(title=f"{form['title']} 2023 (mẫu {form['form']})", title_justify="left")
            table.add_column("Cột")
            table.add_column("Diễn biến")
            table.add_column("Hộ", justify="right")
            table.add_column("Nhân khẩu", justify="right")
            for column, cell in zip(form["columns"], form["total"], strict=True):
                table.add_row(
                    str(column["code"]),
                    column["label"],
                    vi_number(cell["households"]),
                    vi_number(cell["persons"]),
                )
            console.print(table)
        _say("Hai biểu khép kín: " + ("đúng." if found["closes"] else f"SAI: {found['faults']}"))
        if not found["closes"]:
            raise SystemExit(1)

    def _eligibility(self) -> None:
        before, after = (
            self.officer.get(
                "reporting",
                "/v1/eligibility",
                area=district.DISTRICT,
                on=str(day),
                since=str(YEAR_ENDS[0]),
            )["products"]
            for day in YEAR_ENDS
        )
        table = Table("Sản phẩm", title="Số hộ đủ điều kiện vay", title_justify="left")
        for heading in (f"{YEAR_ENDS[0]:%d/%m/%Y}", "Vào", "Ra", f"{YEAR_ENDS[1]:%d/%m/%Y}"):
            table.add_column(heading, justify="right")
        for product, label in PRODUCTS.items():
            numbers = (
                before[product]["households"],
                after[product]["entries"],
                after[product]["exits"],
                after[product]["households"],
            )
            table.add_row(label, *map(vi_number, numbers))
        console.print(table)

    def _money(self) -> None:
        found = self.officer.get("reporting", "/v1/money", area=district.DISTRICT, year=2023)
        parts = found["by_capital_type"]
        _say(
            f"[bold]{vi_money(found['total_dong'])}[/] = {vi_money(parts['INVESTMENT']['amount_dong'])} vốn đầu tư"
            f" + {vi_money(parts['RECURRENT']['amount_dong'])} vốn sự nghiệp."
        )

    def _one(self) -> None:
        told = reclassify.one(self.where)
        _say(
            f"Một lệnh gọi API: hộ nghèo thành {told.class_label.lower()}. Trả lời 2xx sau {told.answered_ms:.0f} ms;"
            f" kể từ đó điều kiện vay đổi sau [bold]{told.eligibility_ms:.0f} ms[/],"
            f" báo cáo đổi sau [bold]{told.report_ms:.0f} ms[/]."
        )

    def _many(self) -> None:
        with _progress() as progress:
            bar = progress.add_task("Quyết định", total=RECLASSIFICATIONS)
            said: set[str] = set()

            def show(done: int) -> None:
                progress.update(bar, completed=done)
                for at, name, action, words in FAULTS:
                    if done >= at and words not in said:
                        said.add(words)
                        getattr(self.stack, action)(name)
                        progress.console.print(f"  sau {vi_number(done)} quyết định: {words}")

            reclassify.many(self.where, RECLASSIFICATIONS, show)
        self._compared("Sau sự cố")

    def _compared(self, when: str) -> None:
        urls = {name: self.stack.url(name) for name in ("households", "funding", "reporting")}
        found = verify.compare_until_equal(urls, self.officer.token, district.DISTRICT, 60)
        if not found.equal:
            verify.show(console, found)
            raise SystemExit(1)
        console.print(f"{when}:", verify.totals(found))
        _say(f"Bốn nguồn bằng nhau ở từng xã của {len(found.communes)} xã, thị trấn, cả số hộ và số khẩu.")


FAULTS = (
    (600, "nats", "kill", "NATS bị SIGKILL"),
    (900, "funding", "kill", "dịch vụ vốn bị SIGKILL"),
    (1200, "nats", "start", "NATS chạy lại"),
    (1500, "funding", "start", "dịch vụ vốn chạy lại"),
)


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield progress


def _say(text: str) -> None:
    console.print(text)


def _title(text: str) -> None:
    console.print(f"\n[bold]{text}[/]")


__all__ = ["addresses", "load", "run"]
