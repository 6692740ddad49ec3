"""What every subscriber must do, whatever it is written in."""

import datetime as dt
import uuid
from collections.abc import Sequence

from tests.agencies.register import ELSEWHERE, Register, registered, subscriber, withdrawn

from benvung_local.servers import AGENCIES_TOML
from households.events import PopulationRecorded

Command = Sequence[str]
REGISTERED = "households.household.registered.v1"
WITHDRAWN = "households.events.withdrawn.v1"


async def hears_of_its_province_only(register: Register, command: Command) -> None:
    ours, elsewhere = uuid.uuid4(), uuid.uuid4()
    population = PopulationRecorded(
        province="64",
        commune=None,
        revision=1,
        population_id=uuid.uuid4(),
        area="64",
        level="PROVINCE",
        households=1,
        persons=1,
        as_of=dt.date(2024, 1, 1),
        source="…",
    )
    async with register.relaying(AGENCIES_TOML), subscriber(register, command) as bank:
        told = await register.tell(
            registered(elsewhere, 1, ELSEWHERE), population, registered(ours, 1), registered(elsewhere, 2, ELSEWHERE),
            registered(ours, 2),
        )  # fmt: skip
        places = [place for place, _ in told]
        assert await bank.lines(2) == [
            f"{places[2]} {REGISTERED} {ours} 1",
            f"{places[4]} {REGISTERED} {ours} 2",
        ]
        assert await bank.is_silent()


async def goes_on_where_it_was_and_back_where_it_wants(register: Register, command: Command) -> None:
    household = uuid.uuid4()
    async with register.relaying(AGENCIES_TOML):
        told = await register.tell(*(registered(household, revision) for revision in range(1, 6)))
        lines = [f"{place} {REGISTERED} {household} {at}" for at, (place, _) in enumerate(told, start=1)]
        async with subscriber(register, command) as bank:
            assert await bank.lines(5) == lines
            assert await bank.is_silent()
        async with subscriber(register, command) as bank:
            assert await bank.is_silent()
        async with subscriber(register, command, told[2][0]) as bank:
            assert await bank.lines(3) == lines[2:]
            assert await bank.is_silent()


async def notices_a_gap(register: Register, command: Command) -> None:
    household, other = uuid.uuid4(), uuid.uuid4()
    async with register.relaying(AGENCIES_TOML), subscriber(register, command) as bank:
        await register.tell(
            registered(household, 1), registered(other, 7), registered(household, 2), registered(other, 8),
            registered(household, 4), registered(other, 9),
        )  # fmt: skip
        lines = await bank.lines(7)
    assert [line for line in lines if line.startswith("GAP")] == [f"GAP {household} after 2"]
    assert [line.split()[-1] for line in lines if str(other) in line] == ["7", "8", "9"]


async def takes_back_what_was_withdrawn(register: Register, command: Command) -> None:
    household, other = uuid.uuid4(), uuid.uuid4()
    async with register.relaying(AGENCIES_TOML), subscriber(register, command) as bank:
        told = await register.tell(
            registered(household, 1), registered(household, 2), registered(other, 1), registered(household, 3)
        )
        assert len(await bank.lines(4)) == 4
        taken_back = withdrawn(told[1][1], told[3][1])
        [(place, _)] = await register.tell(taken_back)
        assert await bank.lines(3) == [
            f"{told[0][0]} {REGISTERED} {household} 1",
            f"{told[2][0]} {REGISTERED} {other} 1",
            f"{place} {WITHDRAWN} {taken_back.withdrawal_id} 1",
        ]
        # The restored database tells the household's second change anew.
        [(place, _)] = await register.tell(registered(household, 2))
        assert await bank.lines(1) == [f"{place} {REGISTERED} {household} 2"]
        assert await bank.is_silent()
