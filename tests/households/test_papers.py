"""Certificate and notice: the State's look, only what the law needs, and a notice that goes away with its days."""

import datetime as dt
import subprocess
from pathlib import Path

import pytest
from tests.households.officer import Commune, SignIn

from benvung import clock


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


@needs_pdftotext
async def test_the_notice_names_heads_by_list_and_nothing_else_of_them(
    commune: Commune, tmp_path: Path
) -> None:
    household, review = await poor(commune)
    person = {
        "name": "Đinh Thị Ví Dụ", "birth_date": "1985-03-02", "sex": "FEMALE", "relation": "HEAD",
        "residence": "PERMANENT", "number": "064185000999", "ethnicity": "BA_NA", "disability": "SEVERE",
        "on": "2023-01-01",
    }  # fmt: skip
    await commune.ask("POST", f"/v1/households/{household}/members", 201, json=person)

    given = {"village": f"{commune.code}.01", "posted_on": "2024-01-19", "number": "21"}
    made = await commune.ask("POST", f"/v1/reviews/{review}/notices", 201, json=given)
    said = words(await printed(commune, f"/v1/notices/{made['id']}.pdf?purpose=CITIZEN"), tmp_path)

    # Friday; the three working days after it are Monday to Wednesday.
    assert (made["posted_until"], made["over"], made["households"]) == ("2024-01-24", False, 1)
    assert "Đinh Thị Ví Dụ #1 *đậm*" in said
    assert "từ ngày 19/01/2024 đến hết ngày 24/01/2024" in said
    for secret in ("064185000999", "1985", "Ba Na", "huyết tật", "120", "H001"):
        assert secret not in said.replace("GCN", ""), secret


async def test_the_notice_is_gone_on_the_day_after_its_last(commune: Commune) -> None:
    _, review = await poor(commune)
    given = {"village": f"{commune.code}.01", "posted_on": "2024-01-19"}
    made = await commune.ask("POST", f"/v1/reviews/{review}/notices", 201, json=given)
    again = await commune.ask("POST", f"/v1/reviews/{review}/notices", 201, json=given)

    clock.fix(dt.date(2024, 1, 25))

    gone = await commune.ask("GET", f"/v1/notices/{made['id']}.pdf?purpose=CITIZEN", 410)
    assert (gone["rule"], again["id"]) == ("notice-over", made["id"])
    assert (await commune.ask("GET", f"/v1/notices/{made['id']}"))["over"] is True


async def test_a_village_without_results_has_no_notice(commune: Commune, signed_in: SignIn) -> None:
    _, review = await poor(commune)
    path = f"/v1/reviews/{review}/notices"

    empty = {"village": f"{commune.code}.02", "posted_on": "2024-01-19"}
    unknown = {"village": f"{commune.code}.09", "posted_on": "2024-01-19"}
    later = {"village": f"{commune.code}.01", "posted_on": "2024-12-19"}

    assert (await commune.ask("POST", path, 422, json=empty))["rule"] == "nothing-to-post"
    assert (await commune.ask("POST", path, 422, json=unknown))["rule"] == "village-unknown"
    assert (await commune.ask("POST", path, 422, json=later))["rule"] == "posting-too-far-ahead"
    stranger = await signed_in("23830").post(path, json=empty)
    assert stranger.status_code == 403
