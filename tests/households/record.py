"""What the record of a village says by itself: each household's path, and which time limits must be running."""

import re
from collections import defaultdict
from datetime import date
from uuid import UUID

from tests.households.village import ANNUAL, REGULAR, Village

from households.domain.cycle import Entry
from households.domain.procedure_terms import Action, CaseState, DeadlineCode, Recognition
from households.domain.procedures import Deadline

# A case's own history, in letters: L listed, S surveyed, C scored, m sent back by the meeting, M agreed,
# P posted, K complained of, X re-checked, A opinion asked, r returned, n not returned while others were,
# O agreed by the higher level, R decided.
LETTERS = {
    Action.LIST: "L", Action.SURVEY: "S", Action.SCORE: "C", Action.POST: "P", Action.COMPLAIN: "K",
    Action.RECHECK: "X", Action.ASK_OPINION: "A", Action.GIVE_OPINION: "!", Action.RECOGNISE: "R",
}  # fmt: skip


def identity(one: Deadline) -> tuple[DeadlineCode, UUID | None, date, date, date | None]:
    # A notice that is replaced on the day it was hung out leaves two alike: neither can be missed.
    return one.code, one.case_id, one.starts_on, one.due, one.told_on


def paths(entries: list[Entry]) -> dict[UUID, str]:
    """Each case's history in letters, read from the record alone."""
    found: dict[UUID, str] = defaultdict(str)
    for entry in entries:
        letter = LETTERS.get(entry.action, "")
        if entry.action is Action.HOLD_MEETING:
            sent_back = int(entry.facts["sent_back"])
            letter = "M" if not sent_back else "m" if sent_back == len(entry.case_ids) else "?"
        if entry.action is Action.GIVE_OPINION and not entry.case_ids:
            found.update({one: path + "O" for one, path in found.items() if path.endswith("A")})
        for household in entry.case_ids:
            found[household] += letter
    return {household: _settled(path) for household, path in found.items()}


def _settled(path: str) -> str:
    """Votes and returns of which the record names only the number: what came next tells how it went."""
    path = re.sub(r"\?(?=S)", "m", path).replace("?", "M")
    return re.sub(r"!(?=S)", "r", path).replace("!", "n")


def owed(village: Village) -> list[tuple[DeadlineCode, UUID | None]]:
    """Which time limits run, told from the record and the states alone."""
    cycle, done = village.cycle, {entry.action for entry in village.entries}
    decided, reported = Action.RECOGNISE in done, Action.REPORT in done
    found: list[tuple[DeadlineCode, UUID | None]] = []
    if not decided:
        found.append((DeadlineCode.RECOGNITION, None))
    if village.procedure.kind is ANNUAL and not reported:
        found.append((DeadlineCode.REPORT_OFFICIAL, None))
        if Action.REPORT_PRELIMINARY not in done:
            found.append((DeadlineCode.REPORT_PRELIMINARY, None))
    if village.procedure.kind is REGULAR and not reported:
        found.append((DeadlineCode.REPORT_MONTHLY, None))
    notices = [entry.action for entry in village.entries if entry.action in (Action.POST, Action.END_POSTING)]
    if notices and notices[-1] is Action.POST:
        found.append((DeadlineCode.TAKE_DOWN, None))
    asked = [
        entry.action for entry in village.entries if entry.action in (Action.ASK_OPINION, Action.GIVE_OPINION)
    ]
    if asked and asked[-1] is Action.ASK_OPINION:
        found.append((DeadlineCode.OPINION, None))
    found += [(DeadlineCode.RECHECK, case.case_id) for case in cycle.in_state(CaseState.COMPLAINED)]
    if village.procedure.kind is REGULAR and decided:
        certified = {one for entry in village.entries if entry.action is Action.ISSUE_CERTIFICATE
                     for one in entry.case_ids}  # fmt: skip
        lists = {Recognition.POOR, Recognition.NEAR_POOR}
        found += [
            (DeadlineCode.CERTIFICATE, case.case_id)
            for case in cycle.active
            if case.case_id not in certified
            and all(lists.intersection(one.recognitions) for one in case.decisions)
        ]
    return found
