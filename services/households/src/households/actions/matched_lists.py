"""Rows of a list (households, members) that an officer matched: answered again, members household by household."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from benvung.vault import Vault
from households import domain, store
from households.actions import household_files, member_files
from households.actions.answers import open_answers, seal_answers
from households.actions.given import Held, file_row, held, opened
from households.actions.matched_results import (
    BY_HAND,
    LEFT_OUT,
    Answered,
    Choice,
    Resolved,
    left_out,
    not_in_commune,
    not_possible,
    taken_already,
)
from households.actions.member_files import Row
from households.domain import Match, MatchKind, Place, Refused
from households.domain.member_rows import RowPlan, not_whole
from households.files.columns import FileKind


@dataclass(frozen=True, slots=True)
class Matching:
    """The rows of one list, and the commune they are of."""

    conn: AsyncConnection
    vault: Vault
    found: sa.Row[Any]
    rows: Mapping[int, sa.Row[Any]]
    place: Place

    async def answer(self, choices: Mapping[int, Choice]) -> list[Answered]:
        """The answers to all choices; of members also those to the rows beside them."""
        register = await held(self.conn, self.vault, self.place)
        if self.found.kind == FileKind.HOUSEHOLDS:
            claimed = await store.lists.claimed(self.conn, self.found.id, list(register.states))
            return [self._household(register, claimed, self.rows[n], choice) for n, choice in choices.items()]
        groups: dict[int, dict[int, Choice]] = {}
        for number, choice in choices.items():
            groups.setdefault(self.rows[number].group_no or number, {})[number] = choice
        found: list[Answered] = []
        for group, chosen in groups.items():
            try:
                found += await self._members(register, group, chosen)
            except Refused as no:
                found += [not_possible(number, no) for number in chosen]
        return found

    def _household(
        self, register: Held, claimed: dict[uuid.UUID, int], row: sa.Row[Any], choice: Choice
    ) -> Answered:
        if choice.kind == "SKIP":
            return left_out(self.vault, row)
        values = opened(self.vault, row.given)
        located = file_row(self.vault, row.row_no, values, row.raw["village"])
        if choice.kind == "NEW":
            match = Match(row.row_no, MatchKind.NEW)
        elif choice.household_id not in register.states:
            return not_possible(row.row_no, not_in_commune())
        elif choice.household_id in claimed:
            return not_possible(row.row_no, taken_already(claimed[choice.household_id]))
        else:
            named = replace(located, household_id=choice.household_id)
            [match] = domain.match_rows([named], register.known).matches
            match = replace(match, kind=MatchKind.BY_HAND)
        again = household_files.answer_row(self.vault, register, values, located, match)
        said = [BY_HAND, *open_answers(self.vault, again.answers)]
        assert again.household_id is not None  # an accepted row has its household
        claimed[again.household_id] = row.row_no
        return Answered(
            Resolved(row.row_no, again.state, said), replace(again, answers=seal_answers(self.vault, said))
        )

    async def _members(self, register: Held, group: int, choices: Mapping[int, Choice]) -> list[Answered]:
        own = [row for row in self.rows.values() if (row.group_no or row.row_no) == group]
        if any(row.state != "REFUSED" for row in own):
            raise Refused(
                "row-decided-already", "Hộ này đã được nhận.", "This household was taken already.", "row"
            )
        home = self._home(register, own, choices)
        if home is None:
            return [left_out(self.vault, row) for row in own if row.row_no in choices]
        facts = (await store.members.facts_of_many(self.conn, self.vault, [home])).get(home, [])
        rows = [self._row(row, choices.get(row.row_no)) for row in own if row.matched_by is not None]
        unreadable = [
            row.row_no
            for row in own
            if row.matched_by is None and not _is_left_out(row, choices.get(row.row_no))
        ]
        homes = dict.fromkeys((row.number for row in rows), home)
        elsewhere = await member_files.known_elsewhere(self.conn, self.vault, self.place.commune, rows, homes)
        planned = member_files.answer_household(rows, facts, self.found.holds_from, elsewhere)
        found = [left_out(self.vault, row) for row in own if row.matched_by is None and row.row_no in choices]
        waits = not_whole(unreadable)
        if waits is not None:
            planned = tuple(
                replace(each, plan=RowPlan.REFUSED, member=None, refused=waits) if each.taken else each
                for each in planned
            )
        for row, plan in zip(rows, planned, strict=True):
            again = member_files.answered_row(
                self.vault, row, plan, home, MatchKind.BY_HAND, self.found.holds_from
            )
            skipped = row.resolution == "SKIP"
            said = [LEFT_OUT] if skipped else open_answers(self.vault, again.answers)
            again = replace(
                again, raw={}, group=group, answers=seal_answers(self.vault, said) if said else None
            )
            found.append(Answered(Resolved(row.number, again.state, said), again))
        return found

    def _home(
        self, register: Held, own: list[sa.Row[Any]], choices: Mapping[int, Choice]
    ) -> uuid.UUID | None:
        """The household of the rows: as it was chosen, else as it was known; None while all are to be left out."""
        chosen = {choice.household_id for choice in choices.values() if choice.kind == "HOUSEHOLD"}
        known = {row.household_id for row in own if row.household_id is not None}
        homes = chosen or known
        if not homes and all(choice.kind == "SKIP" for choice in choices.values()):
            return None
        if len(homes) != 1 or not homes <= set(register.states):
            raise not_in_commune()
        [home] = homes
        return home

    def _row(self, row: sa.Row[Any], choice: Choice | None) -> Row:
        values = opened(self.vault, row.given)
        resolution = choice.kind if choice is not None else row.resolution
        member_id = row.member_id
        if choice is not None and choice.kind == "MEMBER":
            if choice.member_id is None:
                raise Refused(
                    "member-not-named", "Chưa chọn thành viên nào.", "No member was chosen.", "member_id"
                )
            member_id = choice.member_id
        elif choice is not None and choice.kind == "NEW":
            member_id = uuid.uuid4()
        return Row(row.row_no, values, row.group_no or row.row_no, member_id or uuid.uuid4(), resolution)


def _is_left_out(row: sa.Row[Any], choice: Choice | None) -> bool:
    return choice.kind == "SKIP" if choice is not None else row.resolution == "SKIP"
