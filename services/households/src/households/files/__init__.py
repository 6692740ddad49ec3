"""What communes send and people take away: review results, templates, answers, the register's export."""

from households.files.read import Limits, read_review
from households.files.rows import (
    AnswerLine,
    Gender,
    RegisterLine,
    ReviewRow,
    ReviewSheet,
    RowError,
)
from households.files.write import (
    answers_csv,
    register_csv,
    write_review_csv,
    write_review_xlsx,
    write_template_xlsx,
)

__all__ = [
    "AnswerLine",
    "Gender",
    "Limits",
    "RegisterLine",
    "ReviewRow",
    "ReviewSheet",
    "RowError",
    "answers_csv",
    "read_review",
    "register_csv",
    "write_review_csv",
    "write_review_xlsx",
    "write_template_xlsx",
]
