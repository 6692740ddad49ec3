"""Certificate and notice: the State's look, only what the law needs, and a notice that goes away with its days."""

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.households.officer import Commune, SignIn
from tests.households.reviewing import Review, begun, posted

from benvung import clock
from households.domain.procedure_terms import Action


def words(content: bytes, folder: Path) -> str:
    """The text of a PDF on one line."""
    path = folder / "paper.pdf"
    path.write_bytes(content)
    found = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True).stdout
    return " ".join(found.decode().split())


async def poor(officer: Commune) -> tuple[str, str]:
    household = await officer.register(head_name="Đinh Thị Ví Dụ #1 *đậm*")
    review = await officer.open_review(2023, decision_number="12/QĐ-UBND")
    await officer.decide(review, household, 120, 40)
    return household, review


async def printed(officer: Commune, path: str) -> bytes:
    answer = await officer.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), answer.text
    assert answer.content.startswith(b"%PDF")
    return answer.content


needs_pdftotext = pytest.mark.skipif(
    subprocess.run(["which", "pdftotext"], capture_output=True, check=False).returncode != 0,
    reason="reads papers with pdftotext (poppler-utils)",
)


@needs_pdftotext
async def test_the_certificate_of_a_poor_household_says_what_the_form_asks(
    commune: Commune, tmp_path: Path
) -> None:
    household, _ = await poor(commune)

    paper = await printed(
        commune, f"/v1/households/{household}/certificate.pdf?purpose=CITIZEN&number=15&issued_on=2023-12-15"
    )

    said = words(paper, tmp_path)
    for wanted in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "15/GCN-HN.HCN",
        "ngày 15 tháng 12 năm 2023", "GIẤY CHỨNG NHẬN HỘ NGHÈO", "12/QĐ-UBND",
        "Đinh Thị Ví Dụ #1 *đậm*", "CHỦ TỊCH",
    ):  # fmt: skip
        assert wanted in said, said


@pytest.mark.parametrize("points", [(200, 40), None])
async def test_a_household_without_a_form_of_certificate_is_refused_by_name(
    commune: Commune, points: tuple[int, int] | None
) -> None:
    household = await commune.register()
    if points:
        await commune.decide(await commune.open_review(2023), household, *points)

    refused = await commune.ask("GET", f"/v1/households/{household}/certificate.pdf?purpose=CITIZEN", 422)

    assert (refused["rule"], refused["legal"] is not None) == ("certificate-form-missing", True)


async def notices(review: Review) -> list[dict[str, Any]]:
    """What was made of the village's postings, the newest first."""
    return list((await review.commune.ask("GET", f"{review.here}/notices"))["items"])


def pdf(notice: dict[str, Any]) -> str:
    return f"/v1/notices/{notice['id']}.pdf?purpose=CITIZEN"


@needs_pdftotext
async def test_the_notice_of_a_posting_names_heads_by_list_and_nothing_else_of_them(
    commune: Commune, tmp_path: Path
) -> None:
    review, known = await begun(commune, 2)
    person = {
        "name": "Đinh Thị Ví Dụ", "birth_date": "1985-03-02", "sex": "FEMALE", "relation": "HEAD",
        "residence": "PERMANENT", "number": "064185000999", "ethnicity": "BA_NA", "disability": "SEVERE",
        "on": "2023-01-01",
    }  # fmt: skip
    await commune.ask("POST", f"/v1/households/{known[0]}/members", 201, json=person)
    await review.score(known[0])
    await review.score(known[1], 200, 10)
    await review.do(Action.CALL_MEETING)
    await review.meet()
    assert await notices(review) == []

    await review.at("2024-10-18").do(Action.POST, number="21/TB-UBND")
    [made] = await notices(review)
    said = words(await printed(commune, pdf(made)), tmp_path)

    # Friday; the three working days after it are Monday to Wednesday.
    assert (made["posted_on"], made["posted_until"]) == ("2024-10-18", "2024-10-23")
    assert (made["over"], made["replaced"], made["households"], made["number"]) == (False, False, 2, "21")
    assert said.count("Đinh Văn Ví Dụ") == 2
    assert "21/TB-UBND" in said
    assert "từ ngày 18/10/2024 đến hết ngày 23/10/2024" in said
    for secret in ("064185000999", "1985", "Ba Na", "huyết tật", "120", "H0", "H1"):
        assert secret not in said.replace("GCN", ""), secret


async def test_the_notice_is_gone_on_the_day_after_its_last(commune: Commune) -> None:
    review, _ = await posted(commune)
    [made] = await notices(review)

    clock.fix(dt.date.fromisoformat(made["posted_until"]))
    await printed(commune, pdf(made))
    clock.fix(dt.date.fromisoformat(made["posted_until"]) + dt.timedelta(days=1))

    gone = await commune.ask("GET", pdf(made), 410)
    assert (gone["rule"], gone["detail"][:9]) == ("notice-over", "Thông báo")
    assert (await commune.ask("GET", f"/v1/notices/{made['id']}"))["over"] is True


@needs_pdftotext
async def test_results_posted_again_replace_the_notice_even_on_its_own_day(
    commune: Commune, tmp_path: Path
) -> None:
    review, known = await posted(commune)
    await review.do(Action.COMPLAIN, cases=[known[1]])
    await review.score(known[1], 120, 10, Action.RECHECK)
    await review.do(Action.POST, number="22/TB-UBND")

    newer, older = await notices(review)

    gone = await commune.ask("GET", pdf(older), 410)
    assert (gone["rule"], older["replaced"], newer["replaced"]) == ("notice-replaced", True, False)
    assert newer["households"] == 2, "the other result hangs as long as it would have"
    said = words(await printed(commune, pdf(newer)), tmp_path)
    assert said.count("Đinh Văn Ví Dụ") == 3, "near-poor now, and escaped from poverty by that"


@needs_pdftotext
async def test_each_result_hangs_for_its_own_days_alone(commune: Commune, tmp_path: Path) -> None:
    review, known = await posted(commune)
    await review.at("2024-10-23").do(Action.COMPLAIN, cases=[known[1]])
    await review.score(known[1], 120, 40, Action.RECHECK)
    await review.do(Action.POST, number="22/TB-UBND")
    newer, older = await notices(review)
    assert newer["posted_until"] > older["posted_until"]

    early = words(await printed(commune, pdf(newer)), tmp_path)
    clock.fix(dt.date.fromisoformat(newer["posted_until"]))
    late = words(await printed(commune, pdf(newer)), tmp_path)

    assert (early.count("Đinh Văn Ví Dụ"), late.count("Đinh Văn Ví Dụ")) == (2, 1)


async def test_a_notice_is_of_ones_own_area_and_comes_from_a_posting_alone(
    commune: Commune, signed_in: SignIn
) -> None:
    review, _ = await posted(commune)
    [made] = await notices(review)
    stranger = signed_in("23830")

    listed = await stranger.get(f"{review.here}/notices")
    shown = await stranger.get(f"/v1/notices/{made['id']}")
    by_hand = await commune.client.post(f"/v1/reviews/{review.id}/notices", json={"village": review.village})

    assert (listed.status_code, shown.status_code, by_hand.status_code) == (404, 404, 404)
    assert await notices(Review(commune, review.id, 2)) == []
