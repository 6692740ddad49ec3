"""Pages on which a file is chosen: each offers what this person may send, and where to."""

import re

from tests.households.at_the_desk import Desk
from tests.households.officer import COMMUNE, Commune, SignIn


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
    assert f'<option value="{COMMUNE}" selected>Xã Chư Krey' in listed
    assert f"/v1/templates/members.xlsx?commune={COMMUNE}" in listed


async def test_the_pages_can_be_written_in_english_too(commune: Commune) -> None:
    for of in ("list", "results"):
        page = await Desk(commune.client).see(f"/imports/new?of={of}&lang=en")
        assert '<html lang="en">' in page
        assert page.count("<h1") == 1
