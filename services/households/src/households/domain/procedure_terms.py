"""The words of a review as the law runs it: kinds, steps, states, acts, roles, papers, results, deadlines.

What people read for them is in `data/procedure_words.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from households.domain.labels import Language


class ProcedureKind(StrEnum):
    """The four procedures by which somebody is recognised."""

    ANNUAL = "ANNUAL"
    REGULAR = "REGULAR"
    AVERAGE_LIVING = "AVERAGE_LIVING"
    LOW_INCOME_WORKER = "LOW_INCOME_WORKER"


class Subject(StrEnum):
    """Whom a procedure is about. A low-income worker is a person, never a household."""

    HOUSEHOLD = "HOUSEHOLD"
    PERSON = "PERSON"


class Step(StrEnum):
    """Where a village stands in a review; RECHECK is entered on complaint only."""

    LISTING = "LISTING"
    SURVEY = "SURVEY"
    MEETING = "MEETING"
    POSTING = "POSTING"
    RECHECK = "RECHECK"
    CONSULT = "CONSULT"
    RECOGNISED = "RECOGNISED"
    REPORTED = "REPORTED"


class CaseState(StrEnum):
    """Where one household (or worker) stands in a review."""

    LISTED = "LISTED"
    SCREENED_OUT = "SCREENED_OUT"
    SURVEYED = "SURVEYED"
    SCORED = "SCORED"
    MEETING_AGREED = "MEETING_AGREED"
    SENT_BACK = "SENT_BACK"
    POSTED = "POSTED"
    COMPLAINED = "COMPLAINED"
    RECHECKED = "RECHECKED"
    PROPOSED = "PROPOSED"
    RECOGNISED = "RECOGNISED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


class Action(StrEnum):
    """What somebody does in a review; each leaves one entry."""

    OPEN = "OPEN"
    LIST = "LIST"
    CLOSE_LIST = "CLOSE_LIST"
    SURVEY = "SURVEY"
    SCORE = "SCORE"
    CALL_MEETING = "CALL_MEETING"
    HOLD_MEETING = "HOLD_MEETING"
    POST = "POST"
    END_POSTING = "END_POSTING"
    COMPLAIN = "COMPLAIN"
    RECHECK = "RECHECK"
    ASK_OPINION = "ASK_OPINION"
    GIVE_OPINION = "GIVE_OPINION"
    RECOGNISE = "RECOGNISE"
    ISSUE_CERTIFICATE = "ISSUE_CERTIFICATE"
    REVOKE_CERTIFICATE = "REVOKE_CERTIFICATE"
    REPORT_PRELIMINARY = "REPORT_PRELIMINARY"
    REPORT = "REPORT"
    CORRECT = "CORRECT"
    WITHDRAW = "WITHDRAW"


class Role(StrEnum):
    """In which capacity somebody acts, as the law names it."""

    HOUSEHOLD = "HOUSEHOLD"
    WORKER = "WORKER"
    RESIDENT = "RESIDENT"
    REVIEWER = "REVIEWER"
    VILLAGE_HEAD = "VILLAGE_HEAD"
    STEERING_COMMITTEE = "STEERING_COMMITTEE"
    POVERTY_OFFICER = "POVERTY_OFFICER"
    COMMUNE_CHAIR = "COMMUNE_CHAIR"
    DISTRICT_CHAIR = "DISTRICT_CHAIR"
    PROVINCE_DEPARTMENT = "PROVINCE_DEPARTMENT"
    PROVINCE_CHAIR = "PROVINCE_CHAIR"


class PaperKind(StrEnum):
    """The papers that an act rests on."""

    PLAN = "PLAN"
    REQUEST_REVIEW = "REQUEST_REVIEW"
    REQUEST_ESCAPE = "REQUEST_ESCAPE"
    REQUEST_WORKER = "REQUEST_WORKER"
    REVIEW_LIST = "REVIEW_LIST"
    FORM_A = "FORM_A"
    FORM_B1 = "FORM_B1"
    FORM_B2 = "FORM_B2"
    INCOME_FORM = "INCOME_FORM"
    RESULT_TABLE = "RESULT_TABLE"
    INVITATION = "INVITATION"
    MINUTES = "MINUTES"
    NOTICE = "NOTICE"
    TAKE_DOWN_RECORD = "TAKE_DOWN_RECORD"
    COMPLAINT = "COMPLAINT"
    RECHECK_RECORD = "RECHECK_RECORD"
    REPORT_FOR_OPINION = "REPORT_FOR_OPINION"
    OPINION = "OPINION"
    DECISION = "DECISION"
    REFUSAL = "REFUSAL"
    CERTIFICATE = "CERTIFICATE"
    RESULT_REPORT = "RESULT_REPORT"
    OTHER = "OTHER"


class Signatory(StrEnum):
    """Who signs the minutes of a village meeting."""

    CHAIR = "CHAIR"
    MINUTE_TAKER = "MINUTE_TAKER"
    HOUSEHOLDS = "HOUSEHOLDS"


class Finding(StrEnum):
    """What a review finds of a household or worker, before anybody recognises it."""

    POOR = "POOR"
    NEAR_POOR = "NEAR_POOR"
    NOT_POOR = "NOT_POOR"
    AVERAGE_LIVING = "AVERAGE_LIVING"
    LOW_INCOME_WORKER = "LOW_INCOME_WORKER"
    NOT_QUALIFIED = "NOT_QUALIFIED"


class Recognition(StrEnum):
    """As what the chair of the commune recognises. A poor household that became near-poor has two."""

    POOR = "POOR"
    NEAR_POOR = "NEAR_POOR"
    ESCAPED_POVERTY = "ESCAPED_POVERTY"
    ESCAPED_NEAR_POVERTY = "ESCAPED_NEAR_POVERTY"
    AVERAGE_LIVING = "AVERAGE_LIVING"
    LOW_INCOME_WORKER = "LOW_INCOME_WORKER"


class DeadlineCode(StrEnum):
    """Each time limit that the law sets."""

    TAKE_DOWN = "TAKE_DOWN"
    RECHECK = "RECHECK"
    OPINION = "OPINION"
    RECOGNITION = "RECOGNITION"
    CERTIFICATE = "CERTIFICATE"
    REPORT_PRELIMINARY = "REPORT_PRELIMINARY"
    REPORT_OFFICIAL = "REPORT_OFFICIAL"
    REPORT_MONTHLY = "REPORT_MONTHLY"


WORDED: tuple[type[StrEnum], ...] = (
    ProcedureKind, Subject, Step, CaseState, Action, Role, PaperKind, Signatory, Finding, Recognition,
    DeadlineCode,
)  # fmt: skip
"""The enums whose words are in the data file, each in a table of its own name."""


def procedure_label(code: StrEnum, language: Language = "vi") -> str:
    """The words for a code of this module, as the law writes them."""
    return _words()[type(code).__name__][code.value][language]


@cache
def _words() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    file = resources.files("households") / "data" / "procedure_words.toml"
    return tomllib.loads(file.read_text("utf-8"))
