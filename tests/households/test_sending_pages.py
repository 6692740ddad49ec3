"""Pages on which a file is chosen: each offers what this person may send, and where to."""

import re
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from tests.households.at_the_desk import HTML, Desk
from tests.households.officer import COMMUNE, OTHER, STANDARD, Commune, SignIn, row
from tests.households.test_lists_households import table
from tests.households.test_lists_members import CHILD_ROW, members
from tests.households.test_matching_by_hand import doubtful

from benvung.testing.tokens import Tokens

LIST, RESULTS = "/imports/new/list", "/imports/new/results"


async def send(
    client: httpx2.AsyncClient, path: str, content: bytes | None, **fields: Any
) -> httpx2.Response:
    """The form with its file as a browser sends it, on paths without a script."""
    of = {LIST: "list", RESULTS: "results"}.get(path)
    known = await Desk(client).hidden(f"/imports/new?of={of}" if of else path.removesuffix("/file"))
    file = ("", b"", "application/octet-stream") if content is None else ("tep.csv", content, "text/csv")
    return await client.post(path, data=known | fields, files={"file": file}, headers=HTML)


async def test_what_may_be_sent_is_offered_on_the_page_of_files(commune: Commune, signed_in: SignIn) -> None:
    reader = signed_in(COMMUNE, permissions=["households.read"])

    own, others = await Desk(commune.client).see("/imports"), await Desk(reader).see("/imports")

    assert re.findall(r'/imports/new\?of=(\w+)"', own) == ["list", "results"]
    assert "/imports/new" not in others


async def test_a_list_is_sent_for_ones_own_commune_and_results_for_an_open_review(commune: Commune) -> None:
    desk = Desk(commune.client)

    before = await desk.see("/imports/new?of=results")
    review = await commune.open_review(2023)
    results = await desk.see("/imports/new?of=results")
    listed = await desk.see("/imports/new?of=list")

    assert "Hãy mở kỳ rà soát trước" in before
    assert f'<option value="{review}" selected>' in results
    assert 'data-upload="/v1/reviews/{review}/{kind}?dry_run={dry_run}"' in results
    assert f"/v1/templates/results.xlsx?commune={COMMUNE}&amp;standard={STANDARD}" in results
    assert f'<option value="{COMMUNE}" selected>Xã Chư Krey' in listed
    assert f"/v1/templates/members.xlsx?commune={COMMUNE}" in listed


async def test_the_pages_can_be_written_in_english_too(commune: Commune) -> None:
    for of in ("list", "results"):
        page = await Desk(commune.client).see(f"/imports/new?of={of}&lang=en")
        assert '<html lang="en">' in page
        assert page.count("<h1") == 1


async def test_a_list_is_taken_from_the_form_alone_and_answered_as_over_the_api(commune: Commune) -> None:
    content = table("Làng Một,H002,Đinh Thị Mẫu,Nữ,1990,,3,", "Làng Mười,H003,Đinh Ba,Nam,,,2,")
    fields = {"kind": "HOUSEHOLDS", "commune": COMMUNE, "on": "01/10/2023"}

    tried = await send(commune.client, LIST, content, **fields, dry_run="true")
    of_api = await commune.ask(
        "POST", f"/v1/communes/{COMMUNE}/imports", 202, content=content, headers={"Content-Type": "text/csv"},
        params={"kind": "HOUSEHOLDS", "on": "2023-10-01", "dry_run": True},
    )  # fmt: skip
    sent = await send(commune.client, LIST, content, **fields)
    await commune.run_imports()
    again = await send(commune.client, LIST, content, **fields)

    assert (tried.status_code, sent.status_code) == (303, 303)
    ids = [each.headers["location"].removeprefix("/imports/") for each in (tried, sent)]
    done = [await commune.ask("GET", f"/v1/list-imports/{each}") for each in ids]
    assert [each["dry_run"] for each in done] == [True, False]
    assert (done[1]["applied"], done[1]["refused"], done[1]["holds_from"]) == (1, 1, "2023-10-01")
    told = [await commune.answers(each) for each in (ids[0], of_api["import_id"])]
    said = [
        {n: (each["state"], each["head_name"], each["answers"]) for n, each in one.items()} for one in told
    ]
    assert said[0] == said[1]
    assert again.headers["location"] == f"/imports/{ids[1]}?known=true"
    assert "Tệp này đã được gửi trước đây" in await Desk(commune.client).see(again.headers["location"])


async def test_results_and_form_b_go_to_the_review_that_was_chosen(commune: Commune) -> None:
    review = await commune.open_review(2023)
    head = "Thôn,Họ và tên chủ hộ,Ngày rà soát,Điểm B1"

    results = await send(
        commune.client, RESULTS, commune.csv([row(1, "Đinh Một")]), kind="imports", review=review
    )
    forms = await send(
        commune.client,
        RESULTS,
        f"{head}\nLàng Một,Đinh Một,05/10/2023,120".encode(),
        kind="form-b-imports",
        review=review,
    )

    kinds = [
        (await commune.ask("GET", f"/v1{each.headers['location']}"))["kind"] for each in (results, forms)
    ]
    assert kinds == ["RESULTS", "FORM_B"]


async def test_a_form_that_is_sent_twice_sends_its_file_once(commune: Commune) -> None:
    known = await Desk(commune.client).hidden("/imports/new?of=list")
    fields = known | {"kind": "HOUSEHOLDS", "commune": COMMUNE, "on": "01/10/2023", "dry_run": "true"}
    files = {"file": ("tep.csv", table("Làng Một,H002,Đinh Thị Mẫu,Nữ,1990,,3,"), "text/csv")}

    went = [await commune.client.post(LIST, data=fields, files=files, headers=HTML) for _ in range(2)]
    files = {"file": ("tep.csv", table("Làng Một,H003,Đinh Thị Khác,Nữ,1990,,3,"), "text/csv")}
    other = await commune.client.post(LIST, data=fields, files=files, headers=HTML)

    assert went[0].headers["location"] == went[1].headers["location"]
    assert other.status_code == 422, "the key belongs to the first file"


@pytest.mark.parametrize(
    ("content", "changes", "field"),
    [
        (None, {}, "file"),
        (b"", {}, "file"),
        (b"a,b\n1,2", {}, "file"),
        (table("Làng Một,H002,Đinh Thị Mẫu,Nữ,1990,,3,"), {"on": "32/10/2023"}, "on"),
        (table("Làng Một,H002,Đinh Thị Mẫu,Nữ,1990,,3,"), {"on": "01/02/2024"}, "on"),
        (table("Làng Một,H002,Đinh Thị Mẫu,Nữ,1990,,3,"), {"kind": "RESULTS"}, "kind"),
        (table("Làng Một,H002,Đinh Thị Mẫu,Nữ,1990,,3,"), {"commune": ""}, "commune"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    commune: Commune, content: bytes | None, changes: dict[str, str], field: str
) -> None:
    fields = {"kind": "MEMBERS", "commune": COMMUNE, "on": "01/10/2023", "dry_run": "true", **changes}

    refused = await send(commune.client, LIST, content, **fields)

    assert refused.status_code == 422
    assert f'id="{field}-error"' in refused.text
    assert f'value="{fields["on"]}"' in refused.text
    assert 'name="dry_run" value="true" checked' in refused.text
    assert "hãy chọn lại tệp" in refused.text
    assert "Chưa có tệp nào" in await Desk(commune.client).see("/imports")


async def test_a_file_is_sent_within_ones_area_and_permissions_and_up_to_the_limit(
    commune: Commune, signed_in: SignIn, application: tuple[FastAPI, Tokens]
) -> None:
    content = table("Làng Một,H002,Đinh Thị Mẫu,Nữ,1990,,3,")
    fields = {"kind": "HOUSEHOLDS", "commune": COMMUNE, "on": "01/10/2023"}
    review = await commune.open_review(2023)
    reader, stranger = signed_in(COMMUNE, permissions=["households.read"]), signed_in(OTHER)

    refused = [
        await send(reader, LIST, content, **fields),
        await send(reader, RESULTS, content, kind="imports", review=review),
        await send(stranger, LIST, content, **fields),
        await send(stranger, RESULTS, content, kind="imports", review=review),
    ]
    app = application[0]
    app.state.settings = app.state.settings.model_copy(update={"max_upload_mb": 1})
    large = await send(commune.client, LIST, b"x" * (1024 * 1024), **fields)

    assert [each.status_code for each in refused] == [403, 403, 403, 403]
    assert (large.status_code, "Tệp lớn hơn 1 MB" in large.text) == (413, True)
    assert "Chưa có tệp nào" in await Desk(commune.client).see("/imports")


async def test_rows_are_matched_by_a_file_from_the_form_alone(commune: Commune) -> None:
    first, *_, path = await doubtful(commune)
    page = path.removeprefix("/v1") + "/matching"

    empty = await send(commune.client, f"{page}/file", None)
    wrong = await send(commune.client, f"{page}/file", b"Dong,Chon\n2,99")
    right = await send(commune.client, f"{page}/file", f"Dòng,Chọn\n2,{first}".encode())
    await commune.run_imports()

    assert (empty.status_code, "Hãy chọn tệp để gửi." in empty.text) == (422, True)
    assert "không phải số ứng viên" in wrong.text
    assert right.headers["location"] == f"{page}?taken=1"
    assert (await commune.household(first))["poverty_class"] == "POOR"
    assert (await commune.ask("GET", path))["unmatched"] == 0


async def test_a_row_says_whom_it_is_about_also_where_it_could_not_be_read(
    commune: Commune, signed_in: SignIn
) -> None:
    review = await commune.open_review(2023)
    rows = [row(1, "Đinh Được Nhận"), row(2, "Đinh Sai Thôn", village="Làng Mười"), row(3, "Đinh Sai Điểm")]
    lines = commune.csv(rows).decode("utf-8-sig").splitlines()
    lines[3] = lines[3].replace(",120,", ",một trăm,")
    sent = await commune.send(review, "\n".join(lines).encode())
    listed = await send(
        commune.client,
        LIST,
        table("Làng Một,H1,Đinh Trong Sổ,Nam,,,4,", "Làng Mười,H2,Đinh Ngoài Thôn,Nam,,,4,", "Làng Một,H3,Đinh Nhiều,Nam,,,x,"),
        kind="HOUSEHOLDS", commune=COMMUNE, on="01/10/2023",
    )  # fmt: skip
    persons = members(CHILD_ROW.replace("Làng Một", "Làng Mười") + "Đinh Chủ Hộ")
    of_persons = await send(commune.client, LIST, persons, kind="MEMBERS", commune=COMMUNE, on="01/10/2023")

    desk = Desk(commune.client)
    answers = await commune.answers(sent["import_id"])
    page = await desk.see(f"/imports/{sent['import_id']}")
    of_list = await desk.see(listed.headers["location"])
    of_members = await desk.see(of_persons.headers["location"])

    assert [each["head_name"] for each in answers.values()] == [each.head_name for each in rows]
    assert [each["state"] for each in answers.values()] == ["ACCEPTED", "REFUSED", "REFUSED"]
    for each in rows:
        assert f"· {each.head_name}" in page
    for name in ("Đinh Trong Sổ", "Đinh Ngoài Thôn", "Đinh Nhiều"):
        assert f"· {name}" in of_list
    assert "· Đinh Thị Bé" in of_members
    assert "(hộ Đinh Chủ Hộ)" in of_members
    stranger = await signed_in(OTHER).get(f"/imports/{sent['import_id']}", headers=HTML)
    assert (stranger.status_code, "Đinh Được Nhận" in stranger.text) == (404, False)
