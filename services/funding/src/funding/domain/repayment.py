"""When a loan is paid back: its last day, its instalments, and how long it may be extended."""

import datetime as dt
from dataclasses import dataclass

from funding.domain import law
from funding.domain.eligibility import add_months
from funding.domain.refused import Refused


@dataclass(frozen=True, slots=True)
class Instalment:
    """Principal to be paid back on a day, in đồng."""

    due_on: dt.date
    amount_dong: int


def last_day(paid_out_on: dt.date, term_months: int) -> dt.date:
    """The day on which a loan ends: as many calendar months after it was paid out as its term has."""
    return add_months(paid_out_on, term_months)


def schedule(
    amount_dong: int, paid_out_on: dt.date, term_months: int, every_months: int
) -> tuple[Instalment, ...]:
    """The instalments of a loan, one for each `every_months` begun of its term.

    Each is the loan's equal part, rounded down as the bank does; the last one, on the loan's last day, takes
    what is left. How often a loan is paid back is agreed on with it: offices have their own practice. Raises
    `Refused` when a term or an interval is not at least a month, or the amount is nothing.
    """
    for field, value in (("term_months", term_months), ("every_months", every_months)):
        if value < 1:
            raise Refused(
                "loan-months-below-one",
                message_vi=f"Số tháng phải từ 1 trở lên, đã nhận {value}.",
                message_en=f"There must be at least one month, not {value}.",
                field=field,
            )
    if amount_dong < 1:
        raise Refused(
            "loan-amount-zero",
            message_vi="Số tiền vay phải lớn hơn 0.",
            message_en="The amount of a loan must be above zero.",
            field="amount_dong",
        )
    parts = -(-term_months // every_months)
    step = int(law.table("loans.toml")["instalment"]["rounded_to_dong"])
    each = amount_dong // parts // step * step
    # Of a small loan the equal part rounds down to nothing: it is paid back at once.
    before = [
        Instalment(add_months(paid_out_on, number * every_months), each) for number in range(1, parts) if each
    ]
    rest = amount_dong - sum(one.amount_dong for one in before)
    return (*before, Instalment(last_day(paid_out_on, term_months), rest))


def most_extension(product: str, term_months: int, repayment_months: int | None = None) -> int:
    """The most months by which a loan may be extended.

    `repayment_months` is the part of a student's loan in which it is paid back. Raises `Refused` when the rule
    rests on it and it is not given.
    """
    for row in law.table("loans.toml")["extension"]:
        if product not in row.get("products", (product,)):
            continue
        if term_months > row.get("up_to_months", term_months):
            continue
        if "months" in row:
            return int(row["months"])
        whole = term_months if row["part_of"] == "TERM" else repayment_months
        if whole is None:
            raise Refused(
                "repayment-term-wanted",
                message_vi="Thời gian gia hạn của sản phẩm này tính theo thời hạn trả nợ: hãy cho biết thời hạn trả nợ.",
                message_en="This product's extension follows from its repayment term: say how long that is.",
                field="repayment_months",
            )
        return int(whole * row["numerator"] // row["denominator"])
    return 0
