"""What the machine has found, each as the few steps that show it."""

from tests.faults.model.lives import Point
from tests.faults.model.owner import STREAM
from tests.faults.model.reader import PROJECTOR, REBUILDER
from tests.faults.model.world import World
from tests.reporting.histories import Step

from households.domain import HouseholdClass

POOR, NEAR_POOR = HouseholdClass.POOR, HouseholdClass.NEAR_POOR


def decided(household: int, household_class: HouseholdClass = POOR, members: int = 4) -> Step:
    """A decision on a household, some days after what was before."""
    return Step(household, "decide", 30, household_class, members, 0)


def read(world: World, many: int = 100) -> None:
    """Events arrive at the projector."""
    world.deliver(STREAM, PROJECTOR, many, "", None)
    world.look()


def read_for_rebuild(world: World, many: int = 100) -> None:
    """Events arrive at the rebuild, if one is to be made."""
    world.run(STREAM, REBUILDER)
    world.loop.advance(1.2)
    world.deliver(STREAM, REBUILDER, many, "", None)
    world.look()


def nothing_counts_in_the_end(world: World) -> None:
    """Whoever was held goes on, and all that was told turns out to be taken back."""
    world.release()
    world.look()
    world.finish()
    assert world.truth.counting == {}


def test_a_rebuild_heeds_a_withdrawal_that_nobody_had_read_before_it(world: World) -> None:
    world.owner.tell(decided(0), late=False)
    read(world)
    world.owner.withdraw(0, 1)
    world.recreate()
    world.finish()
    assert world.truth.counting == {}


def test_a_rebuild_that_is_about_to_swap_heeds_a_withdrawal_that_comes_before(world: World) -> None:
    world.owner.tell(decided(0), late=False)
    read(world)
    world.ask_rebuild(by="an officer", from_start=False)
    held = Point("after", "commit", 4, hold=True)
    world.run(STREAM, REBUILDER).point = held
    world.loop.advance(1.2)
    world.owner.withdraw(0, 1)
    read(world)
    nothing_counts_in_the_end(world)


def test_a_person_may_have_a_projection_made_anew_from_a_stream_that_lost_its_end(world: World) -> None:
    world.owner.tell(decided(0), late=False)
    world.owner.poison(0)
    read(world)
    world.rewind(1)
    world.ask_rebuild(by="an officer", from_start=False)
    read_for_rebuild(world)
    world.loop.advance(1)
    world.look()
    assert world.truth.at == (world.stream.created, 2)


def test_a_letter_retried_while_a_rebuild_has_passed_it_keeps_its_effect(world: World) -> None:
    world.truth.flawed = True
    world.owner.tell(decided(0, members=9), late=False)
    world.owner.tell(decided(1), late=False)
    read(world)
    world.ask_rebuild(by="an officer", from_start=False)
    read_for_rebuild(world, 3)
    world.fix()
    while world.funding.ask("select count(*) from dead_letters where state = 'WAITING'"):
        world.settle_letter(0, discard=False)
    world.look()
    world.finish()
    assert {each.sequence for each in world.truth.counting.values()} == {1, 2, 3, 4}


def test_what_lies_where_a_letter_lay_before_the_stream_was_rewound_has_a_letter_of_its_own(
    world: World,
) -> None:
    world.owner.tell(decided(0), late=False)
    world.owner.poison(0)
    read(world)
    world.rewind(1)
    world.owner.poison(1)
    world.owner.tell(decided(1, NEAR_POOR), late=False)
    world.finish()
    letters = world.funding.ask("select count(*) from dead_letters where state = 'WAITING'")
    assert letters == 2


_SHAPE = """
select json_agg(found order by found) from (
  select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
    where conrelid = 'eligibility_history'::regclass
  union all select pg_get_indexdef(indexrelid) from pg_index where indrelid = 'eligibility_history'::regclass
  union all select pg_get_triggerdef(oid) from pg_trigger where tgrelid = 'eligibility_history'::regclass
  union all select obj_description('eligibility_history'::regclass)
  union all select attname || ' ' || atttypid::regtype || ' ' || attnotnull from pg_attribute
    where attrelid = 'eligibility_history'::regclass and attnum > 0
) every (found)
"""


def test_a_swap_leaves_a_table_as_the_migrations_made_it(world: World) -> None:
    before = world.funding.ask(_SHAPE)
    assert any("TRIGGER" in each for each in before)
    world.owner.tell(decided(0), late=False)
    read(world)
    world.ask_rebuild(by="an officer", from_start=False)
    world.finish()
    assert world.truth.swaps
    assert world.funding.ask(_SHAPE) == before


def test_a_projector_and_a_rebuild_that_hear_of_a_withdrawal_at_once_do_not_block_each_other(
    world: World,
) -> None:
    world.owner.tell(decided(0), late=False)
    read(world)
    world.ask_rebuild(by="an officer", from_start=False)
    world.look_for_requests()
    world.owner.withdraw(0, 1)
    # The projector has noted it, and not asked for a rebuild yet.
    world.deliver(STREAM, PROJECTOR, 1, "", Point("after", "execute", 1, hold=True))
    assert world.funding.held()
    world.deliver(STREAM, REBUILDER, 100, "", None)
    nothing_counts_in_the_end(world)


def test_a_rebuild_whose_stream_was_put_back_looks_at_what_it_read_last_before_it_swaps(world: World) -> None:
    world.owner.tell(decided(0), late=False)
    read(world, 1)
    world.recreate()
    world.ask_rebuild(by="an officer", from_start=False)
    read_for_rebuild(world, 1)
    world.owner.poison(0)
    world.deliver(STREAM, REBUILDER, 2, "", Point("after", "commit", 0))
    world.look()
    world.rewind(3)
    world.owner.tell(decided(0, NEAR_POOR), late=False)
    assert world.stream.last == 3
    world.run(STREAM, REBUILDER)
    world.loop.advance(1.2)
    world.look()
    world.finish()


def test_a_rebuild_that_is_about_to_swap_notices_that_the_server_went_away(world: World) -> None:
    world.owner.tell(decided(0), late=False)
    read(world, 1)
    world.recreate()
    world.ask_rebuild(by="an officer", from_start=False)
    read_for_rebuild(world, 1)
    world.owner.poison(0)
    # All is read; it has yet to hear that nothing follows.
    world.deliver(STREAM, REBUILDER, 2, "", None)
    world.rewind(3)
    world.owner.tell(decided(0, NEAR_POOR), late=False)
    assert world.stream.last == 3
    world.loop.advance(0.3)
    world.look()
    world.finish()
