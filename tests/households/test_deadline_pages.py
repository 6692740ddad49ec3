"""All time limits of an area on one page: what is still to be done first, missed ones and met ones when asked for."""

import html
import re

from tests.households.at_the_desk import Desk
from tests.households.officer import OTHER, Commune, SignIn
from tests.households.reviewing import Review, consulted

from households.deadlines import tell_missed
from households.domain.procedure_terms import Action, DeadlineCode, procedure_label

PAGE = "/deadlines"
OPINION = procedure_label(DeadlineCode.OPINION, "vi")


def said(page: str) -> list[str]:
    """What each time limit on the page says."""
    found = re.findall(r"<li><a href=\"/reviews/.*?</li>", page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(each))).strip() for each in found]


async def missed(commune: Commune) -> Review:
    """The level above lets its time limit pass."""
    review, _ = await consulted(commune)
    review.at("2024-11-20")
    await tell_missed(commune.app.state.engine)
    return review


async def test_it_lists_what_is_to_be_done_with_its_place_its_day_and_who_has_to(commune: Commune) -> None:
    review = await missed(commune)
    desk = Desk(commune.client)

    page = await desk.see(PAGE)

    waiting = await commune.ask("GET", "/v1/deadlines", params={"done": False})
    assert len(said(page)) == len(waiting["items"]) > 1
    assert all(each["done_on"] is None for each in waiting["items"])
    [late] = [each for each in said(page) if each.startswith(OPINION)]
    assert "quá hạn 19 ngày" in late
    assert "hạn 01/11/2024" in late
    assert "Rà soát hộ nghèo, hộ cận nghèo định kỳ hằng năm 2024" in late
    assert f'href="/reviews/{review.id}/villages/{review.village}"' in page
    assert 'href="/deadlines"' in await desk.see("/")


async def test_a_missed_one_stays_on_its_list_when_it_is_done_late(commune: Commune) -> None:
    review = await missed(commune)
    await review.do(Action.GIVE_OPINION)
    desk = Desk(commune.client)

    assert OPINION not in " ".join(said(await desk.see(PAGE)))
    [late] = [each for each in said(await desk.see(f"{PAGE}?state=MISSED")) if each.startswith(OPINION)]
    assert "làm muộn, ngày 20/11/2024" in late
    met = said(await desk.see(f"{PAGE}?state=MET&village={review.village}"))
    assert met
    assert all("đã làm ngày" in each for each in met)


async def test_another_communes_officer_sees_none_of_them(commune: Commune, signed_in: SignIn) -> None:
    await missed(commune)
    elsewhere = Desk(Commune(commune.app, signed_in(OTHER), commune.folder).client)

    page = await elsewhere.see(PAGE)

    assert said(page) == []
    assert "Không có thời hạn nào" in page


async def test_what_is_written_wrongly_in_its_address_is_refused_on_the_page(commune: Commune) -> None:
    page = await Desk(commune.client).see(f"{PAGE}?state=LATE", 422)
    assert said(page) == []
