"""`benvung`: the embedded run. Everything on this machine, nothing open to others, nothing left running."""

import datetime as dt
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import httpx2
import typer
from rich.console import Console
from rich.table import Table

from benvung import clock
from benvung_local import verify as verification
from benvung_local.client import Officer
from benvung_local.officers import OFFICERS
from benvung_local.processes import DidNotStart
from benvung_local.servers import SERVICES
from benvung_local.stack import DEMO_DATE, ISSUER, Ports, Stack, fetch_token

PROVINCE = "64"
OFFICER = "tinh-gia-lai"
TITLES = {
    "households": "Sổ hộ",
    "funding": "Vốn và điều kiện vay",
    "training": "Tập huấn",
    "reporting": "Báo cáo",
    ISSUER: "Nơi đăng nhập",
}

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@cli.command()
def up(
    folder: Annotated[Path, typer.Option(help="where the data are kept")] = Path(".benvung/data"),
    business_date: Annotated[
        str, typer.Option(help="the day on which the system runs, YYYY-MM-DD or 'today'")
    ] = DEMO_DATE.isoformat(),
) -> None:
    """Keep the whole system running here until Ctrl-C."""
    console = Console()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        stack = Stack(folder, business_date=_day(business_date))
        with console.status("Đang khởi động …") as status:
            stack.start(progress=lambda step: status.update(f"Đang khởi động: {step} …"))
    except DidNotStart as error:
        _did_not_start(console, error)
    try:
        _fill(stack)
        _welcome(console, stack)
        _watch(console, stack)
    except KeyboardInterrupt:
        pass
    finally:
        with console.status("Đang dừng …"):
            stack.stop()
    console.print(f"Đã dừng. Dữ liệu còn ở {stack.home}", highlight=False)
    if stack.home not in stack.postgres.folder.parents:
        console.print(f"và ở {stack.postgres.folder}", highlight=False)


@cli.command()
def verify(
    area: Annotated[str, typer.Option(help="code of a province, district or commune")] = PROVINCE,
    wait: Annotated[float, typer.Option(help="seconds to wait while events are under way")] = 0,
    business_date: Annotated[
        str, typer.Option(help="the day whose names of places are printed, YYYY-MM-DD or 'today'")
    ] = DEMO_DATE.isoformat(),
) -> None:
    """Compare registry, funding, reporting and stream, commune by commune; exit 1 when they differ.

    Addresses come from HOUSEHOLDS_URL, FUNDING_URL and REPORTING_URL, the token from BENVUNG_TOKEN;
    without them the embedded run on this machine is asked.
    """
    console = Console(width=None if sys.stdout.isatty() else 120)
    ports = Ports()
    urls = {name: os.environ.get(f"{name.upper()}_URL") or ports.url(name) for name in SERVICES}
    try:
        token = os.environ.get("BENVUNG_TOKEN") or fetch_token(ports.url(ISSUER), OFFICER)
        found = verification.compare_until_equal(urls, token, area, wait)
    except (verification.CannotAsk, httpx2.HTTPError) as error:
        console.print(f"[bold red]Không đối chiếu được.[/] {error}", highlight=False)
        raise typer.Exit(2) from error
    verification.show(console, found, _day(business_date) or clock.today())
    if not found.equal:
        raise typer.Exit(1)


@cli.command()
def demo() -> None:
    """Run the main job from beginning to end, print what happened, stop everything."""
    from benvung_local.demo import run

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        run()
    except DidNotStart as error:
        _did_not_start(Console(), error)


def _did_not_start(console: Console, error: DidNotStart) -> NoReturn:
    console.print("[bold red]Không khởi động được.[/]")
    console.print(str(error), highlight=False, markup=False)
    raise typer.Exit(1) from error


def _day(text: str) -> dt.date | None:
    return None if text == "today" else dt.date.fromisoformat(text)


def _fill(stack: Stack) -> None:
    """Enter the demonstration's district, once: an empty register shows nothing."""
    from benvung_local import demo

    officer = Officer(demo.addresses(stack), "huyen-kong-chro")
    if officer.get("households", "/v1/households/count")["households"] == 0:
        with tempfile.TemporaryDirectory(prefix="benvung-up-") as files:
            demo.load(demo.addresses(stack), Path(files))


def _welcome(console: Console, stack: Stack) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name in (*SERVICES, ISSUER):
        table.add_row(TITLES[name], f"[link={stack.url(name)}]{stack.url(name)}[/link]")
    table.add_row(
        "NATS cho cơ quan ngoài (bank)", f"{stack.nats.url}, mật khẩu trong {stack.home}/secrets.json"
    )
    table.add_row("Nhật ký chạy", str(stack.logs))
    console.print("\n[bold]Bền Vững đang chạy trên máy này.[/]", table, highlight=False)
    officers = Table("Đăng nhập bằng", "Nhiệm vụ", "Địa bàn", box=None, padding=(0, 2, 0, 0))
    for officer in OFFICERS:
        officers.add_row(f"{officer.name} ({officer.id})", officer.duty, ", ".join(officer.areas))
    console.print("\nCán bộ giả định, không cần mật khẩu:", officers, highlight=False)
    console.print(f"\nMã truy cập API của {OFFICER}:")
    # A token must survive copying: no wrapping, no markup.
    console.print(stack.token(OFFICER), soft_wrap=True, highlight=False, markup=False)
    console.print("\nCtrl-C để dừng tất cả.")


def _watch(console: Console, stack: Stack) -> None:
    said: set[str] = set()
    while True:
        time.sleep(1)
        ended = set(stack.ended())
        for name in sorted(ended - said):
            console.print(f"[bold red]{name} đã dừng[/]; xem {stack.logs}", highlight=False)
        said = ended


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
