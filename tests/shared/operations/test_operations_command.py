"""Operations from the command line of the server: the same acts, readable words, exit codes for scripts."""

import asyncio
import getpass
import os
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from pydantic import SecretStr
from tests.shared.operations.tallying import READER, STREAM, Site, payload, tallying
from typer.testing import CliRunner, Result

from benvung.settings import ServiceSettings
from benvung.web import cli

Command = Callable[..., Coroutine[Any, Any, Result]]


@pytest.fixture
def command(site: Site, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`await command("dead-letters", "list")` on the site's database, in a process as an operator's."""
    runner = CliRunner()
    settings: ServiceSettings = site.app.state.settings
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    async def run(*arguments: str, **more: object) -> Result:
        app = cli(lambda: tallying(settings.model_copy(update=more)))
        return await asyncio.to_thread(runner.invoke, app, arguments)

    return run


async def test_letters_are_listed_as_a_table(site: Site, command: Command) -> None:
    assert (await command("dead-letters", "list")).output == "Không có sự kiện nào bị giữ lại\n"
    first = await site.bury(payload(13))
    second = await site.bury(b"\xff", reason="not JSON:\nexpected \x1b[2J a value" + "x" * 400)

    said = await command("dead-letters", "list")

    assert said.exit_code == 0
    heads, *lines = said.output.splitlines()
    assert heads.split("  ")[0] == "Số"
    assert [line.split()[0] for line in lines] == [str(first), str(second)]
    assert "ValueError: thirteen" in lines[0]
    assert max(len(line) for line in said.output.splitlines()) <= 200
    assert "\x1b" not in said.output
    columns = {line.index(STREAM) for line in lines} | {heads.index("Luồng")}
    assert len(columns) == 1


async def test_a_letter_is_shown_with_what_is_in_it(site: Site, command: Command) -> None:
    number = await site.bury(b'{"a": "\\u001b[2J", "b": "x\xc2\x9by"}')

    said = await command("dead-letters", "show", str(number))

    assert said.exit_code == 0
    assert '"a": "\\u001b[2J"' in said.output
    assert "\x1b" not in said.output
    assert "\x9b" not in said.output
    assert "ValueError: thirteen" in said.output


async def test_a_retry_ends_with_how_it_went(site: Site, command: Command) -> None:
    number = await site.bury(payload(13))

    again = await command("dead-letters", "retry", str(number))
    assert (again.exit_code, "Vẫn chưa xử lý được: ValueError: thirteen" in again.output) == (1, True)
    await site.open_gate()
    done = await command("dead-letters", "retry", str(number))
    assert (done.exit_code, "đúng một lần" in done.output) == (0, True)

    assert await site.numbers() == [13]
    assert await site.announced() == 1
    assert (await site.letter(number)).settled_by == f"operator:{getpass.getuser()}"
    assert {who for who, _ in await site.audited("dead_letter.retried")} == {f"operator:{getpass.getuser()}"}
    late = await command("dead-letters", "retry", str(number))
    assert (late.exit_code, "đã được giải quyết" in late.output) == (1, True)


async def test_all_are_retried_and_what_remains_decides_the_exit_code(site: Site, command: Command) -> None:
    numbers = [await site.bury(payload(value)) for value in range(20, 140)]
    poison = await site.bury(b"{}")

    said = await command("dead-letters", "retry", "--all")

    assert said.exit_code == 1
    assert "120 đã xử lý lại, 1 vẫn chờ." in said.output
    assert f"{poison}: đang chờ: specversion is not 1.0" in said.output
    assert await site.numbers() == list(range(20, 140))
    assert (await site.letter(numbers[-1])).state == "RETRIED"
    await command("dead-letters", "discard", str(poison), "--reason", "x")
    assert (await command("dead-letters", "retry", "--all")).exit_code == 0


async def test_a_discard_wants_its_reason(site: Site, command: Command) -> None:
    number = await site.bury(b"{}")

    for arguments in ((), ("--reason", " "), ("--reason", "x" * 501)):
        assert (await command("dead-letters", "discard", str(number), *arguments)).exit_code == 2
    done = await command("dead-letters", "discard", str(number), "--reason", "Gửi nhầm")

    assert done.exit_code == 0
    letter = await site.letter(number)
    assert (letter.state, letter.note) == ("DISCARDED", "Gửi nhầm")
    assert "Gửi nhầm" in (await command("dead-letters", "show", str(number))).output
    assert "Gửi nhầm" not in (await command("dead-letters", "list")).output
    assert str(number) in (await command("dead-letters", "list", "--state", "DISCARDED")).output
    assert str(number) in (await command("dead-letters", "list", "--all")).output


async def test_what_is_not_there_or_not_meant_is_refused(site: Site, command: Command) -> None:
    number = await site.bury(b"{}")
    for arguments, code in (
        (("dead-letters", "show", "77"), 1),
        (("dead-letters", "retry", "77"), 1),
        (("dead-letters", "discard", "77", "--reason", "x"), 1),
        (("dead-letters", "retry"), 2),
        (("dead-letters", "retry", str(number), "--all"), 2),
        (("dead-letters", "retry", "0"), 2),
        (("rebuild", "ELSEWHERE"), 1),
        (("rebuild",), 2),
    ):
        said = await command(*arguments)
        assert said.exit_code == code, arguments
        assert said.stderr
        assert "Traceback" not in said.output
    assert STREAM in (await command("rebuild", "ELSEWHERE")).stderr


async def test_a_database_that_is_away_is_named(command: Command) -> None:
    said = await command(
        "dead-letters", "list", database_url=SecretStr("postgresql://nobody:pw@127.0.0.1:9/none")
    )

    assert (said.exit_code, said.stderr) == (1, "Cơ sở dữ liệu chưa trả lời (OperationalError).\n")


async def test_the_terminals_language_is_spoken(
    site: Site, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")

    assert (await command("dead-letters", "list")).output == "No message is held back\n"


async def test_a_rebuild_is_asked_for_and_followed_to_its_end(site: Site, command: Command) -> None:
    asked = await command("rebuild", STREAM.lower(), "--reason", "Sau khi sửa lỗi")
    assert (asked.exit_code, "đã yêu cầu" in asked.output) == (0, True)
    [row] = await site.run("select * from rebuilds")
    assert (row.stream, row.reason, row.requested_by) == (
        STREAM,
        "Sau khi sửa lỗi",
        f"operator:{getpass.getuser()}",
    )

    following = asyncio.create_task(command("rebuild", STREAM, "--wait"))
    await asyncio.sleep(1)
    await site.run(
        "insert into runners values (:name, 'working', '', '', now(), now(), 'now', 200)",
        name=f"projector {READER} on {STREAM}",
    )
    await site.run("update rebuilds set state = 'READING', stream_created = 'now', stream_seq = 50")
    await asyncio.sleep(1.5)
    await site.run(
        "update rebuilds set state = 'DONE', finished_at = now(), announced = 4,"
        """ differences = '{"tallied": {"live": 10, "only_live": 3, "only_new": 2}}'"""
    )
    said = await following

    assert said.exit_code == 0
    assert "đã yêu cầu (chưa từng chạy)" in said.output
    assert "đang đọc lại: 50 trên 200" in said.output
    assert "tallied: Số dòng trước 10, Chỉ bảng cũ có 3, Chỉ bảng mới có 2" in said.output
    assert await site.run("select count(*) from rebuilds") == [(1,)]


async def test_a_cancelled_rebuild_is_not_a_success(site: Site, command: Command) -> None:
    following = asyncio.create_task(command("rebuild", STREAM, "--wait"))
    await asyncio.sleep(1)
    await site.run("update rebuilds set state = 'CANCELLED'")

    said = await following

    assert (said.exit_code, "đã hủy" in said.output) == (1, True)


async def test_an_account_without_a_name_is_recorded_by_its_number(
    site: Site, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nameless)
    number = await site.bury(b"{}")
    await command("dead-letters", "discard", str(number), "--reason", "x")

    assert (await site.letter(number)).settled_by == f"operator:{os.getuid()}"
