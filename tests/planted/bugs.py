"""Known bugs of systems like this one, each as a small change of our text, and the tests that must notice."""

from dataclasses import dataclass

KIT = "shared/src/benvung"
PIPELINE = "tests/shared/test_pipeline.py"
MADE_ANEW = "tests/funding/test_funding_made_anew.py"
FOLLOWING = "tests/funding/test_following_the_register.py"


@dataclass(frozen=True, slots=True)
class Bug:
    """One bug: in `file`, `old` (found just once) becomes `new`; `tests` fail then, and pass otherwise."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    needs_root: bool = False


BUGS = (
    Bug(
        "acknowledged before it is committed",
        f"{KIT}/following.py",
        "            await self._move_checkpoint(conn, last)\n            await project(",
        "            await self._move_checkpoint(conn, last)\n        async with conn.begin():\n            await project(",
        (f"{PIPELINE}::test_a_batch_whose_transaction_fails_is_done_again",),
    ),
    Bug(
        "rows without their checkpoint",
        f"{KIT}/following.py",
        "            await self._move_checkpoint(conn, last)\n            await project(conn, self._projector, batch.received)\n",
        "            await project(conn, self._projector, batch.received)\n        async with conn.begin():\n            await self._move_checkpoint(conn, last)\n",
        (f"{PIPELINE}::test_who_has_lost_the_checkpoint_to_another_writes_nothing",),
    ),
    Bug(
        "a cursor by id instead of what is pending",
        f"{KIT}/relay.py",
        "where stream = %s and id <> all(%b::bigint[]) order by id limit %s",
        "where stream = %s and id <> all(%b::bigint[])"
        " and id > (select coalesce(max(id), 0) from journal) order by id limit %s",
        (f"{PIPELINE}::test_what_is_numbered_early_and_committed_late_still_goes",),
    ),
    Bug(
        "the outbox row goes before the event is sent",
        f"{KIT}/relay.py",
        "            places = await self._send(bus, [Outgoing(row[1], str(row[2]), row[3]) for row in rows])\n",
        "            await conn.execute('delete from outbox where id = any(%s)', ([row[0] for row in rows],))\n"
        "            places = await self._send(bus, [Outgoing(row[1], str(row[2]), row[3]) for row in rows])\n",
        ("tests/shared/test_restores.py::test_a_told_event_lies_in_the_journal_where_it_lies_in_the_stream",),
    ),
    Bug(
        "a new relay does not look at the stream's tail",
        f"{KIT}/relay.py",
        "        unknown = await journal.settle_tail(conn, bus, self._stream, state)\n",
        "        unknown: list[journal.Placed] = []\n",
        (
            f"{PIPELINE}::test_a_relay_that_died_before_its_delete_is_continued_without_a_second_message",
            "tests/shared/test_restores.py::test_a_restored_database_that_has_overtaken_its_stream_is_still_found_out",
        ),
    ),
    Bug(
        "no sequence guard in funding",
        "services/funding/src/funding/actions/following.py",
        "        if newest is not None and change.state.sequence <= newest.sequence:\n",
        "        if False and newest is not None:\n",
        (f"{FOLLOWING}::test_disorder_repetition_and_batches_end_in_the_same_rows",),
    ),
    Bug(
        "no sequence guard in reporting",
        "services/reporting/src/reporting/store/households.py",
        "where excluded.sequence > household_states.sequence\n",
        "",
        ("tests/reporting/test_reports_from_disorder.py::test_households_in_any_order",),
    ),
    Bug(
        "a rebuild announces what it reads",
        f"{KIT}/rebuild.py",
        "                    await job.projector.handle(conn, found.received)\n",
        "                    await outbox.announce(\n"
        "                        conn, list(await job.projector.handle(conn, found.received))\n"
        "                    )\n",
        (f"{MADE_ANEW}::test_what_is_right_stays_and_nothing_is_announced",),
    ),
    Bug(
        "a preliminary result is treated as official",
        "services/funding/src/funding/consumers.py",
        'data.decision.stage == "OFFICIAL"',
        "bool(data.decision.stage)",
        (f"{FOLLOWING}::test_a_preliminary_result_changes_nothing",),
    ),
    Bug(
        "NATS confirms before it is on disk (default sync_interval)",
        "deploy/nats.conf",
        "  sync_interval: always\n",
        "",
        ("tests/faults/test_power_cut.py::test_what_was_acknowledged_survives",),
        needs_root=True,
    ),
)
