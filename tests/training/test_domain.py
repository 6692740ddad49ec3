"""The rules of training, told with the conferences of 2022 and 2023 that the newspapers reported."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from training.data import components, documents
from training.domain import (
    Count,
    Document,
    Form,
    Level,
    Organiser,
    Place,
    Places,
    Proposal,
    Qualifier,
    Refused,
    Register,
    State,
    Topic,
    TrainingClass,
    complete,
    document_key,
    plan_class,
    written_number,
    year_in_number,
)

DAY = date(2022, 12, 20)
ID = UUID("018f0000-0000-7000-8000-000000000001")
DISTRICT = Place("384", None, Level.DISTRICT, "38", None, ("VN", "38", "384"))
PROVINCE = Place("38", None, Level.PROVINCE, "38", None, ("VN", "38"))
CENTRE = Place("VN", None, Level.CENTRAL, None, None, ("VN",))

CONFERENCE = Proposal(
    organiser=Organiser("UBND huyện Mường Lát", Level.DISTRICT, "384"),
    area="384",
    component="DA7.1",
    form=Form.CONFERENCE,
    title="Tập huấn nâng cao năng lực giảm nghèo năm 2022",
    topics=(
        Topic("Quyết định số 90/QĐ-TTg", date(2022, 1, 18)),
        Topic("46/2022/TT-BTC"),
        Topic("Thông tư 09/2022/TT-BLĐTB&XH"),
        Topic("Nghị định số 27/2022/NĐ-CP"),
    ),
    plan=Topic("216/KH-UBND", date(2022, 11, 18), "UBND huyện"),
    venue="Trung tâm Hội nghị huyện",
    planned_from=date(2022, 12, 20),
    planned_to=date(2022, 12, 20),
)


def planned(
    proposal: Proposal = CONFERENCE, organiser: Place = DISTRICT, place: Place = DISTRICT
) -> TrainingClass:
    return plan_class(ID, proposal, Places(organiser, place), Register(components(), documents()))


def refusal(proposal: Proposal, organiser: Place = DISTRICT, place: Place = DISTRICT) -> str:
    with pytest.raises(Refused) as refused:
        planned(proposal, organiser, place)
    assert refused.value.message_vi
    assert refused.value.message_en
    return refused.value.rule


def test_the_conference_of_december_2022_teaches_its_four_documents() -> None:
    conference = planned()

    assert [(topic.number, topic.issued_on) for topic in conference.topics] == [
        ("90/QĐ-TTg", date(2022, 1, 18)),
        ("46/2022/TT-BTC", date(2022, 7, 28)),
        ("09/2022/TT-BLĐTBXH", date(2022, 5, 25)),
        ("27/2022/NĐ-CP", date(2022, 4, 19)),
    ]
    assert conference.plan == Document("216/KH-UBND", date(2022, 11, 18), "UBND huyện")
    assert (conference.state, conference.revision) == (State.PLANNED, 0)


def test_it_was_held_for_more_than_two_hundred_delegates() -> None:
    held = complete(planned(), (DAY, DAY), Count(200, Qualifier.GREATER), date(2024, 1, 24))

    assert held.state is State.COMPLETED
    assert held.revision == 1
    assert held.count is not None
    assert held.count.words() == "hơn 200"


@pytest.mark.parametrize(
    ("count", "vi", "en"),
    [
        (Count(3000, Qualifier.ABOUT), "gần 3.000", "about 3,000"),
        (Count(200, Qualifier.GREATER), "hơn 200", "more than 200"),
        (Count(190, Qualifier.EXACT), "190", "190"),
        (Count(1300, Qualifier.AT_LEAST), "từ 1.300 trở lên", "at least 1,300"),
        (Count(90, Qualifier.AT_MOST), "không quá 90", "at most 90"),
    ],
)
def test_a_count_is_written_as_reports_write_it(count: Count, vi: str, en: str) -> None:
    assert (count.words(), count.words("en")) == (vi, en)


def test_a_count_of_nobody_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        Count(0, Qualifier.EXACT)
    assert refused.value.rule == "participants-missing"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("Thông tư số 46/2022/TT-BTC", "46/2022/TT-BTC"),
        ("09 / 2022 / TT - BLĐTB&XH", "09/2022/TT-BLĐTB&XH"),
        ("Quyết định 90/QĐ-TTg", "90/QĐ-TTg"),
        ("Nghị quyết số 24/2021/QH15", "24/2021/QH15"),
        ("Kế hoạch số 216/KH-UBND của UBND huyện", "216/KH-UBND"),
        ("Nghị quyết 75/2021/NQ-HĐND", "75/2021/NQ-HĐND"),
        ("12a/QĐ-BCĐ.GN", "12a/QĐ-BCĐ.GN"),
        ("bà Nguyễn Thị A, sinh 1980", None),
        ("20/12/2022", None),
        ("", None),
    ],
)
def test_only_the_number_of_a_document_is_kept(written: str, number: str | None) -> None:
    assert written_number(written) == number


def test_spellings_of_a_number_are_one_key() -> None:
    assert document_key("09/2022/TT-BLĐTB&XH") == document_key("09/2022/tt-blđtbxh")


def test_a_topic_without_a_number_is_refused() -> None:
    assert refusal(replace(CONFERENCE, topics=(Topic("Chính sách", DAY),))) == "document-number-malformed"


def test_normative_documents_carry_their_year() -> None:
    assert year_in_number("46/2022/TT-BTC") == 2022
    assert year_in_number("216/KH-UBND") is None


def test_a_number_neither_known_nor_dated_is_refused() -> None:
    assert refusal(replace(CONFERENCE, topics=(Topic("999/QĐ-UBND"),))) == "document-unknown"
    assert refusal(replace(CONFERENCE, plan=Topic("216/KH-UBND"))) == "document-unknown"


def test_a_date_that_contradicts_the_number_is_refused() -> None:
    known = replace(CONFERENCE, topics=(Topic("46/2022/TT-BTC", date(2022, 7, 29)),))
    free = replace(CONFERENCE, topics=(Topic("75/2021/NQ-HĐND", date(2022, 12, 17)),))

    assert refusal(known) == "document-date-contradicts"
    assert refusal(free) == "document-date-contradicts"


def test_single_decisions_are_numbered_anew_every_year() -> None:
    another = replace(CONFERENCE, topics=(Topic("90/QĐ-TTg", date(2023, 2, 1)),))

    assert planned(another).topics == (Document("90/QĐ-TTg", date(2023, 2, 1)),)


def test_a_class_has_topics_each_once() -> None:
    twice = replace(CONFERENCE, topics=(Topic("46/2022/TT-BTC"), Topic("Thông tư 46/2022/TT-BTC")))

    assert refusal(replace(CONFERENCE, topics=())) == "topic-missing"
    assert refusal(twice) == "topic-repeated"


def test_the_component_is_known_and_in_force() -> None:
    late = replace(CONFERENCE, planned_from=date(2027, 1, 1), planned_to=date(2027, 1, 1))

    assert refusal(replace(CONFERENCE, component="DA9")) == "component-unknown"
    assert refusal(late) == "component-not-in-force"


def test_a_province_trains_its_districts_but_no_district_its_province() -> None:
    by_province = replace(CONFERENCE, organiser=Organiser("Sở LĐTBXH", Level.PROVINCE, "38"))
    by_centre = replace(CONFERENCE, organiser=Organiser("Văn phòng quốc gia", Level.CENTRAL, "VN"))

    assert planned(by_province, PROVINCE).area == "384"
    assert planned(by_centre, CENTRE).area == "384"
    assert refusal(CONFERENCE, DISTRICT, PROVINCE) == "class-outside-organiser"
    assert refusal(by_province, DISTRICT) == "organiser-level-differs"


def test_a_class_cannot_end_before_it_starts() -> None:
    assert refusal(replace(CONFERENCE, planned_to=date(2022, 12, 19))) == "class-dates-reversed"


@pytest.mark.parametrize(
    ("held_on", "ended_on", "today", "rule"),
    [
        (date(2022, 12, 19), date(2022, 12, 20), date(2024, 1, 24), "class-completed-before-start"),
        (date(2022, 12, 21), date(2022, 12, 20), date(2024, 1, 24), "class-dates-reversed"),
        (date(2022, 12, 20), date(2022, 12, 21), date(2022, 12, 20), "class-completed-in-future"),
    ],
)
def test_a_result_fits_the_calendar(held_on: date, ended_on: date, today: date, rule: str) -> None:
    with pytest.raises(Refused) as refused:
        complete(planned(), (held_on, ended_on), Count(200, Qualifier.GREATER), today)
    assert refused.value.rule == rule


def test_a_class_held_today_can_be_recorded_today() -> None:
    assert complete(planned(), (DAY, DAY), Count(1, Qualifier.EXACT), DAY).ended_on == DAY


def test_a_class_is_completed_once() -> None:
    held = complete(planned(), (DAY, DAY), Count(200, Qualifier.GREATER), DAY)

    with pytest.raises(Refused) as refused:
        complete(held, (DAY, DAY), Count(201, Qualifier.EXACT), DAY)
    assert refused.value.rule == "class-already-completed"


def test_every_document_and_component_of_the_data_files_has_its_source() -> None:
    assert len(components()) == 13, "Decision 90 has thirteen leaf components"
    assert all(component.legal for component in components().values())
    assert documents().resolve(Topic("10/2022/TT-BLĐTB&XH"), "number").issued_on == date(2022, 5, 31)
