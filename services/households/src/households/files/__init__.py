"""What communes send and people take away: review results, templates, answers, the register's export."""

from households.files.grid import Limits
from households.files.read import read_review
from households.files.rows import (
    AnswerLine,
    Gender,
    RegisterLine,
    ReviewRow,
    ReviewSheet,
    RowError,
)
from households.files.simulations import (
    ChangeLine,
    CountLine,
    IndicatorLine,
    SimulationSheet,
    simulation_changes_csv,
    simulation_counts_csv,
    write_simulation_xlsx,
)
from households.files.write import (
    answers_csv,
    register_csv,
    write_answers_xlsx,
    write_review_csv,
    write_review_xlsx,
)

__all__ = [
    "AnswerLine",
    "ChangeLine",
    "CountLine",
    "Gender",
    "IndicatorLine",
    "Limits",
    "RegisterLine",
    "ReviewRow",
    "ReviewSheet",
    "RowError",
    "SimulationSheet",
    "answers_csv",
    "read_review",
    "register_csv",
    "simulation_changes_csv",
    "simulation_counts_csv",
    "write_answers_xlsx",
    "write_review_csv",
    "write_review_xlsx",
    "write_simulation_xlsx",
]
