"""The review as the law runs it: one village in one review, and everybody in it, as a state machine.

Every function takes a cycle and an act and gives the cycle after it, its line in the record, and the deadlines
that the act was too late for. What the law does not allow is refused by name. Nothing is ever changed in place.
"""

from households.domain.cycle.cases import (
    complain,
    list_case,
    recheck_case,
    score_case,
    survey_case,
    withdraw,
)
from households.domain.cycle.decisions import (
    Refusal,
    correct_case,
    issue_certificate,
    recognise,
    recognitions,
    report,
    report_preliminary,
    revoke_certificate,
)
from households.domain.cycle.state import (
    Act,
    Case,
    CaseDecision,
    Certificate,
    Cycle,
    Entry,
    Moved,
    Paper,
    contradictions,
    tell_missed,
)
from households.domain.cycle.steps import (
    ask_opinion,
    call_meeting,
    close_list,
    end_posting,
    give_opinion,
    hold_meeting,
    open_cycle,
    post,
)

__all__ = [
    "Act",
    "Case",
    "CaseDecision",
    "Certificate",
    "Cycle",
    "Entry",
    "Moved",
    "Paper",
    "Refusal",
    "ask_opinion",
    "call_meeting",
    "close_list",
    "complain",
    "contradictions",
    "correct_case",
    "end_posting",
    "give_opinion",
    "hold_meeting",
    "issue_certificate",
    "list_case",
    "open_cycle",
    "post",
    "recheck_case",
    "recognise",
    "recognitions",
    "report",
    "report_preliminary",
    "revoke_certificate",
    "score_case",
    "survey_case",
    "tell_missed",
    "withdraw",
]
