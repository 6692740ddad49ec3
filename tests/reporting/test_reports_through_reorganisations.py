"""Any sequence of reorganisations: nobody is lost or counted twice, then or now, in the register or in reports."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.reporting.projections import HOUSEHOLDS, after, disordered, everything

from benvung import areas, clock
from benvung.auth import Principal, Scope
from benvung.envelope import REGISTRY, EventData, decode
from benvung.etags import Believed
from benvung.testing import Transaction, deliver
from benvung.vault import Vault
from funding.consumers import PROJECTORS as FUNDING
from households import actions
from households import store as register_store
from households.actions.decisions import Given
from households.actions.households import Household
from households.actions.placements import Choice
from households.domain import Stage
from households.domain.procedure_terms import ProcedureKind
from households.domain.reorganisation import Commune, Document, Part, Plan
from households.domain.terms import AreaType
from households.store.geography import Where
from reporting import store
from reporting.actions import places
from reporting.actions.geographies import check_told
from reporting.domain import Booked, Count, filled
from reporting.forms import movement_forms

BEGIN = dt.date(2025, 8, 1)
# Communes of the new Gia Lai that no list knows to end.
FIRST = ("23824", "23830", "23833", "23839")
STANDARD = "STD_2022_2025"
ALL = Principal("p", "Cán bộ", frozenset(), ("VN",))
ANY = Believed(frozenset({"*"}))
VAULT = Vault.from_base64("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")


@dataclass(frozen=True)
class Step:
    """One thing that happens, some weeks after the one before. The numbers choose among what there is."""

    action: str
    days: int
    one: int
    other: int


step = st.builds(
    Step,
    action=st.sampled_from(("merge", "divide", "divide", "rename", "take_code", "choose", "move", "decide")),
    days=st.integers(1, 40),
    one=st.integers(0, 99),
    other=st.integers(0, 99),
)


@dataclass
class Played:
    """The register after some steps, and the communes that every household was in since which day."""

    conn: AsyncConnection
    today: dt.date = BEGIN
    communes: list[str] = field(default_factory=lambda: list(FIRST))
    ended: list[str] = field(default_factory=list)
    waiting: dict[str, tuple[str, ...]] = field(default_factory=dict)
    households: list[uuid.UUID] = field(default_factory=list)
    changes: list[dt.date] = field(default_factory=list)
    fresh: int = 0

    async def begin(self) -> None:
        clock.fix(self.today)
        for code in FIRST:
            listed = [(None, "Thôn Một"), (None, "Thôn Hai")]
            await actions.areas.put_villages(self.conn, ALL, code, listed, ANY)
            for number in (1, 2):
                household = Household(code, f"{code}.0{number}", None, "Siu Ví Dụ", None, None, number + 1)
                made = await actions.households.register(self.conn, ALL, VAULT, household)
                self.households.append(made)
        for household_id in self.households:
            await self.decide(household_id, 120, 40)

    async def play(self, happened: Sequence[Step]) -> None:
        for each in happened:
            self.today += dt.timedelta(days=each.days)
            clock.fix(self.today)
            await getattr(self, f"_{each.action}")(each)

    async def _merge(self, each: Step) -> None:
        one, other = self._commune(each.one), self._commune(each.other)
        if one != other:
            await self._reorganise({one: [self._new()], other: [f"{98000 + self.fresh}"]})

    async def _divide(self, each: Step) -> None:
        await self._reorganise({self._commune(each.one): [self._new(), self._new()]})

    async def _rename(self, each: Step) -> None:
        await self._reorganise({self._commune(each.one): [self._new()]})

    async def _take_code(self, each: Step) -> None:
        """A commune gets the code that another one had, as most did in 2025."""
        if self.ended:
            code = self.ended.pop(each.other % len(self.ended))
            await self._reorganise({self._commune(each.one): [code]})

    async def _reorganise(self, parts: dict[str, list[str]]) -> None:
        new = sorted({code for codes in parts.values() for code in codes})
        plan = Plan(
            self.today,
            Document("1/NQ", self.today),
            tuple(Part(code, tuple(codes)) for code, codes in parts.items()),
            tuple(Commune(code, f"Xã {code}", "52", AreaType.RURAL, None, None) for code in new),
        )
        made = await actions.reorganisations.record(self.conn, ALL, plan)
        while await actions.placements.follow(self.conn, 3):
            pass
        for part in await register_store.reorganisations.parts_of(self.conn, made):
            if part.waiting:
                self.waiting[part.waiting] = tuple(part.successors)
        self.communes = sorted({*self.communes} - {*parts} | {*new})
        self.ended += sorted({*parts} - {*new})
        self.changes.append(self.today)

    async def _choose(self, each: Step) -> None:
        waits = [(code, one) for code in sorted(self.waiting) for one in await self._in(code)]
        if waits:
            code, household = waits[each.one % len(waits)]
            successors = self.waiting[code]
            choice = Choice(code, successors[each.other % len(successors)], (household,), None)
            await actions.placements.choose(self.conn, ALL, choice)
            while await actions.placements.follow(self.conn, 3):
                pass

    async def _in(self, code: str) -> list[uuid.UUID]:
        rows = await self.conn.execute(
            sa.text("select id from households where commune = :code order by id"), {"code": code}
        )
        return list(rows.scalars())

    async def _move(self, each: Step) -> None:
        household = self.households[each.one % len(self.households)]
        here, to = await self._place(household), self._commune(each.other)
        if here.isdigit() and here != to:
            villages = await register_store.places.villages_of(self.conn, to)
            if not villages:
                await actions.areas.put_villages(self.conn, ALL, to, [(None, "Thôn Mới")], ANY)
                villages = await register_store.places.villages_of(self.conn, to)
            await actions.households.move(
                self.conn, ALL, household, to_commune=to, to_village=villages[0].code, to_code=None,
                on=self.today, believed=ANY,
            )  # fmt: skip

    async def _decide(self, each: Step) -> None:
        household = self.households[each.one % len(self.households)]
        if (await self._place(household)).isdigit():
            await self.decide(household, 120, 10 * (each.other % 6))

    async def decide(self, household: uuid.UUID, b1: int, b2: int) -> None:
        review = await actions.reviews.open_review(
            self.conn, ALL, commune=await self._place(household), year=self.today.year,
            kind=ProcedureKind.REGULAR, stage=Stage.OFFICIAL, standard=STANDARD, decided_on=self.today,
            valid_from=None, decision_number="1/QĐ",
        )  # fmt: skip
        result = Given(household, 3, b1, b2, None, None, None)
        await actions.decisions.decide(self.conn, ALL, VAULT, review, result)

    async def _place(self, household: uuid.UUID) -> str:
        query = sa.text("select commune from households where id = :id")
        return str((await self.conn.execute(query, {"id": household})).scalar_one())

    def _commune(self, number: int) -> str:
        return self.communes[number % len(self.communes)]

    def _new(self) -> str:
        self.fresh += 1
        return f"{98000 + self.fresh}"

    async def told(self) -> list[tuple[int, EventData]]:
        rows = await self.conn.execute(sa.text("select id, event_type, payload from outbox order by id"))
        return [(row[0], REGISTRY[row[1]].model_validate(decode(row[2]).data)) for row in rows]

    def days(self) -> list[dt.date]:
        around = {day + dt.timedelta(days=more) for day in self.changes for more in (-1, 0)}
        return sorted({self.today, BEGIN, *around})


@pytest.fixture(autouse=True)
def units_as_listed() -> Iterator[None]:
    areas.learn(())
    yield
    areas.learn(())


def nonzero(found: store.ByCommune) -> dict[str, dict[str, tuple[int, int]]]:
    return {
        commune: {name: (each.households, each.persons) for name, each in sorted(classes.items()) if each != Count()}
        for commune, classes in sorted(found.items())
        if any(each != Count() for each in classes.values())
    }  # fmt: skip


async def in_register(
    conn: AsyncConnection, day: dt.date, *, by_now: bool
) -> dict[str, dict[str, tuple[int, int]]]:
    return await actions.verify.of_register(conn, Where(Scope(None), by_now=by_now), day)


async def check_register(played: Played) -> None:
    """Each household stands in exactly one unit on each day, one that was there; none is lost in either geography."""
    for day in played.days():
        eras = await register_store.geography.since(played.conn, day)
        then = register_store.registry.register_at(Scope(None), day, None, eras)
        rows = await register_store.registry.rows(played.conn, sa.select(then))
        assert sorted(row.id for row in rows) == sorted(played.households), day
        known = {row.commune: areas.find(row.commune, day) for row in rows}
        assert all(known.values()), (day, known)
        now = {row.commune_now for row in rows}
        assert all(areas.find(code, played.today) for code in now), (day, now)
    pending = await played.conn.execute(
        sa.text("select count(*) from placements where state in ('PENDING', 'REFUSED')")
    )
    assert pending.scalar_one() == 0
    waits = [code for code in played.waiting for _ in await played._in(code)]
    listed = await register_store.reorganisations.waiting_villages(played.conn, list(played.waiting))
    assert len(waits) == sum(number for *_, number in listed)


async def check_reports(conn: AsyncConnection, played: Played) -> None:
    """Reports count as the register does, by the units of each day and by those of today."""
    codes = sorted({unit.code for unit in areas.communes_under("52", played.today)})
    for day in played.days():
        then = sorted({unit.code for unit in areas.communes_under("52", day)})
        official = nonzero(await store.official(conn, then, day))
        assert official == await in_register(played.conn, day, by_now=False), day
        # What was recorded is never said not to be.
        await check_told(conn, places.place(ALL, "52", day, played.today), day)
        drawn = nonzero(await store.official_on(conn, codes, day, played.today))
        assert drawn == await in_register(played.conn, day, by_now=True), day
    for year in range(BEGIN.year, played.today.year + 1):
        for drawn_on in {min(dt.date(year, 12, 31), played.today), played.today}:
            communes = [unit.code for unit in areas.communes_under("52", drawn_on)]
            check_closes(await store.booked(conn, communes, year, drawn_on))


def check_closes(booked: dict[str, Booked]) -> None:
    """No reorganisation is a movement: in each commune the year's forms close, in households."""
    for commune, what in booked.items():
        for form in movement_forms():
            line = filled(form, what)
            total = Count()
            for column, cell in zip(form.columns, line, strict=True):
                if column.role in {"START", "INCREASE"}:
                    total += cell
                elif column.role == "DECREASE":
                    total -= cell
                elif column.role == "END":
                    assert total.households == cell.households, (commune, form.code, line)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(happened=st.lists(step, min_size=2, max_size=12), seed=st.integers(0, 99))
@example(
    happened=[
        Step("divide", 10, 0, 0),
        Step("choose", 10, 0, 0),
        Step("decide", 5, 1, 2),
        Step("merge", 10, 0, 2),
        Step("take_code", 3, 1, 0),
        Step("move", 3, 4, 1),
        Step("rename", 9, 2, 0),
        Step("choose", 3, 0, 1),
    ],
    seed=3,
)
async def test_any_sequence_of_reorganisations_keeps_everybody_in_one_place(
    transaction: Transaction, happened: list[Step], seed: int
) -> None:
    conn, reports, funds = [await transaction(name) for name in ("households", "reporting", "funding")]
    outer = [await each.begin_nested() for each in (conn, reports, funds)]
    try:
        areas.learn(())
        played = Played(conn)
        await played.begin()
        await played.play(happened)
        await check_register(played)
        told = await played.told()
        expected = await after(reports, HOUSEHOLDS, iter([told]))
        assert await after(reports, HOUSEHOLDS, disordered(told, seed)) == expected
        await deliver(reports, HOUSEHOLDS, told)
        assert await everything(reports) == expected
        await check_reports(reports, played)
        await check_funding(funds, played, told)
    finally:
        for each in outer:
            await each.rollback()
        clock.fix(None)


async def check_funding(conn: AsyncConnection, played: Played, told: Sequence[tuple[int, EventData]]) -> None:
    """Funding knows each household in the unit in which the register has it now, with its answers."""
    await deliver(conn, FUNDING[0], told)
    states = await conn.execute(sa.text("select household_id, commune, poverty_class from household_states"))
    rows = await played.conn.execute(sa.text("select id, commune, poverty_class from households"))
    assert sorted(map(tuple, states)) == sorted(map(tuple, rows))
    answers = await conn.execute(sa.text("select household_id, commune from eligibility"))
    places = {
        row[0]: row[1] for row in await played.conn.execute(sa.text("select id, commune from households"))
    }
    assert all(places[household] == commune for household, commune in answers)
