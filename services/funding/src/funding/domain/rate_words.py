"""What is said of a rate: the sentence of each step of the walk, and the refusals, in Vietnamese and English."""

import datetime as dt
from decimal import Decimal

from funding.domain.credit_products import Words, credit_products
from funding.domain.products import legal_document
from funding.domain.rate_book import AreaCut, LocalTerms, RateRule, RuleKind, Support
from funding.domain.refused import Refused


def cited(code: str) -> str:
    """How a sentence names a legal document: Quyết định 2553/QĐ-TTg."""
    name: str = legal_document(code)["cite"]
    return name


def of_rule(rule: RateRule, percent: Decimal) -> Words:
    """A row of the table that gave `percent`."""
    if rule.kind is RuleKind.BASE_RATE:
        said = Words(
            f"Lãi suất cho vay hộ nghèo là {_vi(percent)} %/năm",
            f"The poor household's rate is {percent} % a year",
        )
    elif rule.kind is RuleKind.FIXED:
        said = Words(f"Lãi suất được ấn định {_vi(percent)} %/năm", f"The rate is set at {percent} % a year")
    elif rule.kind is RuleKind.FACTOR:
        said = Words(
            f"{name(rule.product).vi}: {_vi(rule.value)} lần lãi suất cho vay hộ nghèo, bằng {_vi(percent)} %/năm",
            f"{name(rule.product).en}: {rule.value} times the poor household's rate, {percent} % a year",
        )
    elif rule.kind is RuleKind.FACTOR_OF:
        said = Words(
            f"{name(rule.product).vi}: {_vi(rule.value)} lần lãi suất của chương trình “{name(rule.of).vi}”, "
            f"bằng {_vi(percent)} %/năm",
            f"{name(rule.product).en}: {rule.value} times the rate of “{name(rule.of).en}”, {percent} % a year",
        )
    else:
        said = Words(
            f"Lãi suất nợ quá hạn bằng {_vi(rule.value)} lần lãi suất hợp đồng: {_vi(percent)} %/năm",
            f"An overdue balance bears {rule.value} times the contract's rate: {percent} % a year",
        )
    return Words(f"{said.vi}{_since_vi(rule.valid_from)}.", f"{said.en}{_since_en(rule.valid_from)}.")


def of_priority(product: str) -> Words:
    """The borrower belongs to the group that `product` is for."""
    return Words(
        f"Người vay thuộc nhóm ưu tiên, áp dụng “{name(product).vi}”.",
        f"The borrower is of the priority group: “{name(product).en}” holds.",
    )


def of_local(terms: LocalTerms, percent: Decimal) -> Words:
    """The rate of entrusted money."""
    return Words(
        f"{terms.name_vi}: {_vi(percent)} %/năm từ ngày {terms.valid_from:%d/%m/%Y}.",
        f"{terms.name_en}: {percent} % a year since {terms.valid_from}.",
    )


def of_central_wins(terms: LocalTerms, percent: Decimal) -> Words:
    """The central rate is the lower one, and holds for entrusted money too."""
    return Words(
        f"{terms.name_vi}: quy định của trung ương có lợi hơn nên áp dụng {_vi(percent)} %/năm.",
        f"{terms.name_en}: the central rule is more favourable, so {percent} % a year holds.",
    )


def of_cut(cut: AreaCut, percent: Decimal) -> Words:
    """The running rate after a cut."""
    return Words(
        f"{cut.name_vi}: giảm {_vi(cut.points)} điểm phần trăm, còn {_vi(percent)} %/năm.",
        f"{cut.name_en}: {cut.points} percentage points less, {percent} % a year.",
    )


def of_support(support: Support, percent: Decimal) -> Words:
    """What the borrower pays after the budget's part."""
    return Words(
        f"{support.name_vi}: ngân sách hỗ trợ {_vi(support.points)} điểm phần trăm, người vay trả {_vi(percent)} %/năm.",
        f"{support.name_en}: the budget pays {support.points} percentage points, the borrower {percent} % a year.",
    )


def contract_after_day(contract_date: dt.date, on: dt.date) -> Refused:
    """The contract is signed after the day asked about."""
    return Refused(
        "contract-after-day",
        message_vi=(
            f"Hợp đồng ký ngày {contract_date:%d/%m/%Y}, sau ngày được hỏi {on:%d/%m/%Y}; "
            "hãy chọn ngày từ ngày ký trở đi."
        ),
        message_en=f"The contract is of {contract_date}, after the day asked about, {on}; ask from that day on.",
        field="query.contract_date",
    )


def before_table(rule: RateRule, on: dt.date) -> Refused:
    """The table of this product, or of the base rate, begins later."""
    first = rule.valid_from or on
    what_vi, what_en = (
        ("", "")
        if not rule.product
        else (f" của “{name(rule.product).vi}”", f" of “{name(rule.product).en}”")
    )
    return Refused(
        "rate-before-table",
        message_vi=(
            f"Bảng lãi suất{what_vi} bắt đầu từ ngày {first:%d/%m/%Y}; chưa có lãi suất cho ngày {on:%d/%m/%Y}."
        ),
        message_en=f"The table of rates{what_en} begins on {first}; there is no rate for {on}.",
        field="query.on",
        legal=cited(rule.legal),
    )


def before_cohorts(rule: RateRule, contract_date: dt.date) -> Refused:
    """The table of this product is for contracts signed later."""
    first = rule.signed_from or contract_date
    return Refused(
        "rate-before-table",
        message_vi=(
            f"Bảng lãi suất của “{name(rule.product).vi}” áp dụng cho hợp đồng ký từ ngày {first:%d/%m/%Y}; "
            f"hợp đồng này ký ngày {contract_date:%d/%m/%Y}."
        ),
        message_en=(
            f"The table of rates of “{name(rule.product).en}” is for contracts signed from {first} on; "
            f"this one is of {contract_date}."
        ),
        field="query.contract_date",
        legal=cited(rule.legal),
    )


def unknown(rule: RateRule, contract_date: dt.date, on: dt.date) -> Refused:
    """The table has rates of this product, but none for this contract on this day."""
    return Refused(
        "rate-unknown",
        message_vi=(
            f"Chưa biết lãi suất của “{name(rule.product).vi}” vào ngày {on:%d/%m/%Y} cho hợp đồng ký ngày "
            f"{contract_date:%d/%m/%Y}; cần bổ sung vào bảng lãi suất."
        ),
        message_en=(
            f"The rate of “{name(rule.product).en}” on {on} for a contract of {contract_date} is not known; "
            "it must be added to the table of rates."
        ),
        field="query.on",
        legal=cited(rule.legal),
    )


def province_needed() -> Refused:
    """Entrusted money is some province's."""
    return Refused(
        "province-needed",
        message_vi="Vốn ủy thác của địa phương có lãi suất riêng của từng tỉnh; hãy cho biết mã tỉnh.",
        message_en="Entrusted money has each province's own rates; name the province.",
        field="query.province",
    )


def local_unknown(province: str, on: dt.date, terms: LocalTerms | None) -> Refused:
    """The rates of this province's entrusted money are not loaded, or begin later."""
    return Refused(
        "local-rate-unknown",
        message_vi=(
            f"Chưa có lãi suất vốn ủy thác của tỉnh {province} cho ngày {on:%d/%m/%Y}; cần nạp nghị quyết của "
            "Hội đồng nhân dân tỉnh."
        ),
        message_en=(
            f"No rates of money entrusted by province {province} are loaded for {on}; its People's Council's "
            "resolution is needed."
        ),
        field="query.province",
        legal=cited(terms.legal) if terms else None,
    )


def class_needed(terms: LocalTerms) -> Refused:
    """The province's rate depends on whether the borrower is poor or near-poor."""
    return Refused(
        "borrower-class-needed",
        message_vi=(
            "Lãi suất vốn ủy thác phụ thuộc vào việc người vay có thuộc hộ nghèo, hộ cận nghèo hay không; "
            "hãy cho biết diện hộ (OTHER nếu không thuộc diện nào)."
        ),
        message_en=(
            "The rate of entrusted money depends on whether the borrower is poor or near-poor; "
            "give the class (OTHER if none)."
        ),
        field="query.borrower_class",
        legal=cited(terms.legal),
    )


def cut_not_loaded(cut: AreaCut, province: str) -> Refused:
    """Whether this province is on the list of a cut is not known."""
    return Refused(
        "cut-provinces-not-loaded",
        message_vi=(
            f"{cut.name_vi}: chưa nạp danh sách tỉnh được giảm {_vi(cut.points)} điểm phần trăm, nên chưa thể "
            f"trả lời cho tỉnh {province} từ ngày {cut.valid_from:%d/%m/%Y} đến trước ngày {cut.valid_before:%d/%m/%Y}."
        ),
        message_en=(
            f"{cut.name_en}: the list of provinces with {cut.points} percentage points less is not loaded, so "
            f"nothing can be said for province {province} from {cut.valid_from} until before {cut.valid_before}."
        ),
        field="query.province",
        legal=cited(cut.legal),
    )


def name(product: str) -> Words:
    """The product in words."""
    return credit_products()[product].name


def _vi(number: Decimal) -> str:
    return str(number).replace(".", ",")


def _since_vi(day: dt.date | None) -> str:
    return f" (từ ngày {day:%d/%m/%Y})" if day else ""


def _since_en(day: dt.date | None) -> str:
    return f" (since {day})" if day else ""
