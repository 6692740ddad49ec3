"""Data are kept as long as a loaded document says, then erased for good on an order; what is counted stays."""

import datetime as dt
import json
import uuid
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from tests.households import forms
from tests.households.officer import OTHER, Commune, SignIn, row
from tests.households.people import ON, child, enter, leave, person
from tests.households.reviewing import posted

from benvung.vault import SealBroken, Vault
from households.domain import Refused
from households.domain.name_search import name_parts
from households.domain.persons import plain_name
from households.domain.procedure_terms import Action
from households.domain.retention import ERASED, Period, Subject, check_over, kept_until
from households.due import lines

HEAD, CHILD, STRANGER = "Quàng Thị Xuyến", "Vàng Văn Khoắn", "Lò Hữu Giót"
NUMBER = "004185000777"
REQUESTS = "/v1/erasure-requests"


def period(months: int = 11, subject: str = "HOUSEHOLD", valid_from: str = "2015-01-01") -> dict[str, Any]:
    document = {"number": "15/QĐ-MẪU", "dated": "2022-12-19", "issuer": "Cơ quan ban hành"}
    return {"subject": subject, "months": months, "valid_from": valid_from, "document": document}


@pytest.fixture
def country(commune: Commune, signed_in: SignIn) -> Commune:
    """Somebody who loads what holds in the whole country."""
    return Commune(commune.app, signed_in("VN"), commune.folder)


async def ask(commune: Commune, status: int = 201, **about: Any) -> Any:
    paper = {"received_on": "2024-01-15", "paper_number": "02/ĐYC", "paper_dated": "2024-01-15"}
    given = {"cause": "SUBJECT_REQUEST", "subject": "HOUSEHOLD", **paper} | about
    return await commune.ask("POST", REQUESTS, status, json=given)


async def erase(commune: Commune, request: Any, status: int = 201) -> Any:
    given = {"decision_number": "41/QĐ-UBND"}
    return await commune.ask("POST", f"{REQUESTS}/{request['id']}/erasure", status, json=given)


@pytest_asyncio.fixture
async def gone(commune: Commune) -> str:
    """A household that left traces everywhere, and then the register."""
    home = await commune.register(head_name=HEAD, code="QX1")
    await enter(commune, home, **person(name=HEAD, number=NUMBER))
    await enter(commune, home, **child(name=CHILD))
    review = await commune.open_review(2022)
    await commune.decide(review, home, 120, 40)
    await commune.import_rows(
        review,
        row(1, HEAD, code="QX1", reviewer="Người Rà Soát"),
        row(2, HEAD, code="QX1"),
        row(3, STRANGER, code="G1"),
        row(4, HEAD, village="Không Có"),
    )
    closing = {"reason": "DISSOLVED", "on": "2023-02-01"}
    given = {"json": closing, "headers": {"If-Match": "*"}}
    await commune.ask("POST", f"/v1/households/{home}/closure", 201, **given)
    return home


class Searched:
    """Whatever is left of somebody, looked for in a value of any kind: plain, sealed, or hashed with the key."""

    def __init__(self, vault: Vault, *names: str, numbers: tuple[str, ...] = ()) -> None:
        self.vault = vault
        self.texts = {plain_name(name) for name in names} | set(numbers)
        whole = [text for each in (*names, *numbers) for text in (each, plain_name(each))]
        self.hashes = {vault.fingerprint(each) for each in whole}
        self.short = {vault.short_fingerprint(part) for name in names for part in name_parts(name)}

    def in_(self, value: Any) -> bool:
        if isinstance(value, str):
            return any(each in plain_name(value) for each in self.texts)
        if isinstance(value, bytes | memoryview):
            return self._in_bytes(bytes(value))
        if isinstance(value, dict):
            return self.in_(json.dumps(value, ensure_ascii=False))
        if isinstance(value, list):
            return bool({each for each in value if isinstance(each, int)} & self.short) or any(
                self.in_(each) for each in value if not isinstance(each, int)
            )
        return False

    def _in_bytes(self, value: bytes) -> bool:
        if value in self.hashes or self.in_(value.decode("utf-8", "ignore")):
            return True
        try:
            opened = self.vault.open(value)
        except SealBroken:
            return False
        return self.in_(opened) or (
            "\\u" in opened and self.in_(json.dumps(json.loads(opened), ensure_ascii=False))
        )


async def traces(engine: Any, searched: Searched) -> set[str]:
    """The columns of the database, of any table there is, in which something is left."""
    found = set()
    async with engine.connect() as conn:
        names = await conn.run_sync(lambda sync: sa.inspect(sync).get_table_names())
        for name in names:
            for each in (await conn.execute(sa.text(f'select * from "{name}"'))).mappings():
                found |= {f"{name}.{column}" for column, value in each.items() if searched.in_(value)}
    return found


async def test_no_byte_of_an_erased_household_is_left_in_any_table(
    commune: Commune, country: Commune, gone: str
) -> None:
    engine = commune.app.state.engine
    searched = Searched(commune.app.state.vault, HEAD, CHILD, numbers=(NUMBER,))
    before = await traces(engine, searched)
    await country.ask("POST", "/v1/retention-periods", 201, json=period())
    request = await ask(commune, household_id=gone, words=f"{HEAD} xin xoá dữ liệu")

    done = await erase(commune, request)

    assert before >= {"households.head_name", "households.head_key", "households.head_name_keys",
                      "members.details", "members.number_key", "members.name_keys", "member_facts.details",
                      "import_rows.head_name", "import_rows.head_key"}  # fmt: skip
    assert (done["state"], done["decision_number"]) == ("ERASED", "41/QĐ-UBND")
    assert await traces(engine, searched) == set()
    other = Searched(commune.app.state.vault, STRANGER)
    assert "households.head_name" in await traces(engine, other)


async def test_what_is_counted_stays_and_the_erased_read_as_erased(
    commune: Commune, country: Commune, gone: str
) -> None:
    before = await commune.household(gone)
    counts = await commune.ask("GET", "/v1/households/count", params={"on": "2022-12-31"})
    decisions = await commune.ask("GET", f"/v1/households/{gone}/decisions")
    told = await _told(commune)
    await country.ask("POST", "/v1/retention-periods", 201, json=period())

    await erase(commune, await ask(commune, household_id=gone))

    after = await commune.household(gone)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"head_name", "code", "version"}
    assert after["head_name"] == ERASED == "đã xoá theo yêu cầu"
    assert await commune.ask("GET", "/v1/households/count", params={"on": "2022-12-31"}) == counts
    again = await commune.ask("GET", f"/v1/households/{gone}/decisions")
    assert _judged(again) == _judged(decisions)
    listed = await commune.ask("GET", f"/v1/households/{gone}/members", params={"on": ON})
    assert [(each["name"], each["number"], each["birth_date"]) for each in listed["members"]] == [
        (ERASED, None, None)
    ] * 2
    assert [each["birth_year"] for each in listed["members"]] == [1985, 2014]
    assert await _told(commune) == told
    assert (await commune.ask("GET", "/v1/households/search", params={"name": HEAD}))["items"] == []
    assert (await commune.ask("GET", "/v1/households/search", params={"name": ERASED}))["items"] == []


def _judged(answer: Any) -> Any:
    given = answer["items"] if isinstance(answer, dict) and "items" in answer else answer
    return json.loads(json.dumps(given, sort_keys=True).replace("Người Rà Soát", ""))


async def _told(commune: Commune) -> list[Any]:
    async with commune.app.state.engine.connect() as conn:
        return list(await conn.execute(sa.text("select id, payload from outbox order by id")))


async def test_a_form_of_the_erased_keeps_what_it_came_to_and_none_of_its_answers(
    commune: Commune, country: Commune
) -> None:
    home = await forms.home(commune)
    review = await commune.open_review(2023)
    given = {"household_id": home, "filled_on": "2023-10-05", "b1_points": 120, "b2": forms.B2}
    form = (await commune.ask("POST", f"/v1/reviews/{review}/forms-b", 201, json=given))["id"]
    before = await commune.ask("GET", f"/v1/forms/{form}")
    closing = {"reason": "DISSOLVED", "on": "2023-12-20"}
    headers = {"If-Match": "*"}
    await commune.ask("POST", f"/v1/households/{home}/closure", 201, json=closing, headers=headers)
    await country.ask("POST", "/v1/retention-periods", 201, json=period(months=1))

    await erase(commune, await ask(commune, household_id=home, words="xin xoá dữ liệu"))

    after = await commune.ask("GET", f"/v1/forms/{form}")
    assert before["answers"]
    assert before["lines"] + before["flags"]
    assert not after["answers"] and not after["lines"] and not after["flags"]
    assert (after["b1_points"], after["b2_points"]) == (before["b1_points"], before["b2_points"])


async def test_nothing_is_erased_before_its_period_is_loaded_and_over(
    commune: Commune, country: Commune, gone: str
) -> None:
    request = await ask(commune, household_id=gone)
    assert (await erase(commune, request, 422))["rule"] == "retention-period-missing"
    due: dict[str, Any] = {"params": {"subject": "HOUSEHOLD"}}
    assert (await commune.ask("GET", "/v1/retention/due", 422, **due))["rule"] == "retention-period-missing"

    await country.ask("POST", "/v1/retention-periods", 201, json=period(120))
    refused = await erase(commune, request, 422)
    assert (refused["rule"], "01/02/2033" in refused["detail"]) == ("retention-not-over", True)
    assert (await commune.ask("GET", "/v1/retention/due", **due))["items"] == []

    # A later document counts.
    await country.ask("POST", "/v1/retention-periods", 201, json=period(10))
    [listed] = (await commune.ask("GET", "/v1/retention/due", **due))["items"]
    assert (listed["household_id"], listed["ended_on"], listed["due_since"]) == (
        gone,
        "2023-02-01",
        "2023-12-01",
    )
    assert (await erase(commune, request))["state"] == "ERASED"
    assert (await commune.ask("GET", "/v1/retention/due", **due))["items"] == []


async def test_a_household_in_the_register_is_not_erased(commune: Commune, country: Commune) -> None:
    home = await commune.register()
    await country.ask("POST", "/v1/retention-periods", 201, json=period(0))

    refused = await erase(commune, await ask(commune, household_id=home), 422)

    assert refused["rule"] == "data-still-in-use"
    assert (await commune.household(home))["head_name"] == "Đinh Văn Ví Dụ"


async def test_a_member_who_left_is_erased_alone(commune: Commune, country: Commune) -> None:
    home = await commune.register(head_name=HEAD)
    head = await enter(commune, home, **person(name=HEAD, number=NUMBER))
    kid = await enter(commune, home, **child(name=CHILD))
    await leave(commune, home, kid["member"]["id"], on="2023-09-01")
    await country.ask("POST", "/v1/retention-periods", 201, json=period(1, "MEMBER"))
    about: dict[str, Any] = {"subject": "MEMBER", "household_id": home, "cause": "RETENTION"}
    early = await ask(commune, **about, member_id=head["member"]["id"])
    assert (await erase(commune, early, 422))["rule"] == "data-still-in-use"

    await erase(commune, await ask(commune, **about, member_id=kid["member"]["id"]))

    engine, vault = commune.app.state.engine, commune.app.state.vault
    assert await traces(engine, Searched(vault, CHILD)) == set()
    assert "members.details" in await traces(engine, Searched(vault, HEAD))


async def test_the_rows_of_a_file_are_erased_and_its_counts_stay(commune: Commune, country: Commune) -> None:
    review = await commune.open_review(2022)
    done = await commune.import_rows(review, row(1, STRANGER), row(2, HEAD, village="Không Có"))
    await country.ask("POST", "/v1/retention-periods", 201, json=period(0, "IMPORT"))

    # A file is done when the machine's clock says so, whatever the business date is.
    async with commune.app.state.engine.begin() as conn:
        await conn.execute(sa.text("update imports set finished_at = '2024-01-20 00:00+07'"))
    request = await ask(commune, subject="IMPORT", cause="RETENTION", import_id=done["import_id"])
    await erase(commune, request)

    after = await commune.ask("GET", f"/v1/imports/{done['import_id']}")
    assert (after["total"], after["applied"], after["refused"]) == (2, 1, 1)
    assert await traces(commune.app.state.engine, Searched(commune.app.state.vault, HEAD)) == set()
    answers = await commune.answers(done["import_id"])
    assert [each["answers"] for each in answers.values()] == [[], []]


async def test_a_request_is_answered_once_and_its_papers_stay_on_record(
    commune: Commune, country: Commune, gone: str
) -> None:
    request = await ask(commune, household_id=gone)
    assert (await ask(commune, household_id=gone))["id"] == request["id"]
    path = f"{REQUESTS}/{request['id']}/refusal"
    unknown = {"decision_number": "42/CV", "ground": "WHATEVER"}
    assert (await commune.ask("POST", path, 422, json=unknown))["rule"] == "ground-unknown"
    done = await commune.ask("POST", path, 201, json=unknown | {"ground": "KEPT_BY_LAW"})
    assert (done["state"], done["ground_label"] != "") == ("REFUSED", True)
    await country.ask("POST", "/v1/retention-periods", 201, json=period(0))
    assert (await erase(commune, request, 409))["rule"] == "erasure-settled"

    again = await ask(commune, household_id=gone)
    await erase(commune, again)

    assert (await ask(commune, 422, household_id=gone))["rule"] == "erased-already"
    listed = (await commune.ask("GET", REQUESTS))["items"]
    assert sorted(each["state"] for each in listed) == ["ERASED", "REFUSED"]
    async with commune.app.state.engine.connect() as conn:
        query = sa.text("select detail from audit where action = 'erasure.done'")
        detail = (await conn.execute(query)).scalar_one()
    assert (detail["paper"], detail["decision"]) == ("02/ĐYC", "41/QĐ-UBND")
    assert "15/QĐ-MẪU" in detail["period"]


async def test_who_may_not_erase_does_not_and_another_area_is_out_of_sight(
    commune: Commune, gone: str, signed_in: SignIn
) -> None:
    request = await ask(commune, household_id=gone)
    clerk = Commune(commune.app, signed_in(commune.code, permissions=["households.read", "households.write"]), commune.folder)  # fmt: skip
    assert (await erase(clerk, request, 403))["rule"] == "not-permitted"
    neighbour = Commune(commune.app, signed_in(OTHER), commune.folder, OTHER)
    assert (await erase(neighbour, request, 404))["rule"] == "erasure-request-not-found"
    assert (await ask(neighbour, 404, household_id=gone))["rule"] == "erasure-subject-not-found"
    assert (await ask(commune, 404, household_id=str(uuid.uuid4())))["rule"] == "erasure-subject-not-found"
    assert (await commune.ask("POST", "/v1/retention-periods", 403, json=period()))["rule"] == "outside-area"


@given(ended=st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)), months=st.integers(0, 1200))
def test_a_period_is_over_on_the_same_day_of_the_month_or_on_its_last(ended: dt.date, months: int) -> None:
    rule = Period(1, Subject.MEMBER, months, ended, "15/QĐ-MẪU")
    over = kept_until(rule, ended)

    assert (over.year - ended.year) * 12 + over.month - ended.month == months
    assert over.day == ended.day or (over.day < ended.day and (over + dt.timedelta(days=1)).day == 1)
    check_over(rule, ended, over)
    if over > ended:
        with pytest.raises(Refused) as refused:
            check_over(rule, ended, over - dt.timedelta(days=1))
        assert refused.value.rule == "retention-not-over"


async def test_the_daily_command_lists_what_is_due_and_names_what_has_no_period(
    commune: Commune, country: Commune, gone: str
) -> None:
    settings = commune.app.state.settings
    before = await lines(settings)
    await country.ask("POST", "/v1/retention-periods", 201, json=period(11))

    after = await lines(settings)

    assert gone
    assert [each.split(":")[0] for each in before] == ["retention-period-missing"] * 3
    assert after[0].startswith(f"HOUSEHOLD {commune.code}: 1 (")
    assert [each.split(":")[0] for each in after[1:]] == ["retention-period-missing"] * 2


async def test_whoever_was_erased_is_registered_anew_and_not_taken_up_again(
    commune: Commune, country: Commune, gone: str
) -> None:
    await country.ask("POST", "/v1/retention-periods", 201, json=period())
    await erase(commune, await ask(commune, household_id=gone))
    back = {"commune": commune.code, "village": f"{commune.code}.01", "members": 4, "class": "NOT_POOR"}
    given = {"json": back | {"standard": "STD_2022_2025", "on": "2024-01-21"}, "headers": {"If-Match": "*"}}

    refused = await commune.ask("POST", f"/v1/households/{gone}/returns", 422, **given)

    assert refused["rule"] == "erased"


async def test_reasons_typed_in_steps_corrections_and_annulments_are_erased_and_the_log_still_reads(
    commune: Commune, country: Commune
) -> None:
    review, [home, other] = await posted(commune)
    why = f"{HEAD} có đơn"
    await review.do(Action.WITHDRAW, cases=[home], reason=why)
    decided = await commune.ask("GET", f"/v1/households/{home}/decisions")
    await commune.ask(
        "POST",
        f"/v1/decisions/{decided['decisions'][0]['decision_id']}/corrections",
        201,
        json={"members": 4, "b1_points": 130, "b2_points": 40, "reason": why, "decided_on": "2024-01-15"},
    )
    born = {"members": 5, "reason": "BIRTH", "on": "2024-02-01"}
    path = f"/v1/households/{home}"
    await commune.ask("POST", f"{path}/sizes", 201, json=born, headers={"If-Match": "*"})
    [grown] = [
        each
        for each in (await commune.ask("GET", f"{path}/decisions"))["changes"]
        if each["reason"] == "BIRTH"
    ]
    await commune.ask("POST", f"/v1/changes/{grown['change_id']}/annulment", 201, json={"reason": why})
    closing = {"json": {"reason": "DISSOLVED", "on": "2024-10-01"}, "headers": {"If-Match": "*"}}
    await commune.ask("POST", f"{path}/closure", 201, **closing)
    await country.ask("POST", "/v1/retention-periods", 201, json=period(0))
    searched = Searched(commune.app.state.vault, HEAD)
    before = await traces(commune.app.state.engine, searched)

    await erase(commune, await ask(commune, household_id=home))

    assert before == {"review_entries.sealed", "decisions.inputs", "changes.reason"}
    assert await traces(commune.app.state.engine, searched) == set()
    log = await commune.ask("GET", f"/v1/reviews/{review.id}/entries", params={"limit": 100})
    assert ERASED in json.dumps(log, ensure_ascii=False)
    assert other
    await commune.ask("GET", review.here)
