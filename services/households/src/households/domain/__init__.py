"""The rules of the register of households: standards, classification, transitions, movements, matching.

Only the standard library is used here. Numbers of the law come from the data files of the package.
"""

from households.domain.ages import Birth
from households.domain.classification import (
    Classification,
    Scores,
    classify,
    deprivation_points,
    scores,
)
from households.domain.cohorts import (
    Cohort,
    memberships,
)
from households.domain.deprivation import (
    Flag,
    Judgement,
    judge,
)
from households.domain.duplicates import duplicates
from households.domain.household import (
    Decision,
    HouseholdState,
    Move,
    Outcome,
    Place,
    arrive,
    check_members,
    check_standard,
    close,
    comes_late,
    decide,
    first_met,
    move,
    movement_of,
    register,
)
from households.domain.identity import Sex
from households.domain.labels import label
from households.domain.local_standards import (
    local_in_force,
    parse_local,
    results_of,
)
from households.domain.matching import (
    FileRow,
    KnownHousehold,
    Match,
    MatchKind,
    MatchResult,
    match_rows,
    normalise_name,
)
from households.domain.movements import (
    Fact,
    FactKind,
    Fault,
    Form,
    Measure,
    MovementTable,
    Row,
    check,
    movement_table,
)
from households.domain.persons import (
    Member,
    check_household,
    check_member,
)
from households.domain.score_tables import (
    PointForm,
    ScoreTable,
    read_table,
    table_in_force,
)
from households.domain.scoring import (
    given_total,
    score_form,
    screen,
)
from households.domain.standards import (
    Indicator,
    Standard,
    get_standard,
    proposed_standard,
    standards,
)
from households.domain.terms import (
    LISTED,
    AreaType,
    Basis,
    ClosureReason,
    HouseholdClass,
    ListStatus,
    Movement,
    Refused,
    ReviewKind,
    SizeReason,
    Stage,
    Status,
)

__all__ = [
    "LISTED",
    "AreaType",
    "Basis",
    "Birth",
    "Classification",
    "ClosureReason",
    "Cohort",
    "Decision",
    "Fact",
    "FactKind",
    "Fault",
    "FileRow",
    "Flag",
    "Form",
    "HouseholdClass",
    "HouseholdState",
    "Indicator",
    "Judgement",
    "KnownHousehold",
    "ListStatus",
    "Match",
    "MatchKind",
    "MatchResult",
    "Measure",
    "Member",
    "Move",
    "Movement",
    "MovementTable",
    "Outcome",
    "Place",
    "PointForm",
    "Refused",
    "ReviewKind",
    "Row",
    "ScoreTable",
    "Scores",
    "Sex",
    "SizeReason",
    "Stage",
    "Standard",
    "Status",
    "arrive",
    "check",
    "check_household",
    "check_member",
    "check_members",
    "check_standard",
    "classify",
    "close",
    "comes_late",
    "decide",
    "deprivation_points",
    "duplicates",
    "first_met",
    "get_standard",
    "given_total",
    "judge",
    "label",
    "local_in_force",
    "match_rows",
    "memberships",
    "move",
    "movement_of",
    "movement_table",
    "normalise_name",
    "parse_local",
    "proposed_standard",
    "read_table",
    "register",
    "results_of",
    "score_form",
    "scores",
    "screen",
    "standards",
    "table_in_force",
]
