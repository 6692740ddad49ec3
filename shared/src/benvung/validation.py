"""What pydantic found wrong, told in a way that says what to do, in Vietnamese and English."""

from collections.abc import Mapping, Sequence
from typing import Any

from benvung.problems import FieldError, Invalid

_TEXTS: dict[str, tuple[str, str]] = {
    "missing": ("Hãy điền trường này.", "Fill in this field."),
    "extra_forbidden": ("Bỏ trường này: hệ thống không biết nó.", "Remove this field: it is not known."),
    "json_invalid": ("JSON sai cú pháp. Hãy kiểm tra lại.", "The JSON is malformed. Check it."),
    "string_type": ("Hãy ghi giá trị dạng chữ.", "Give a text."),
    "string_unicode": ("Chữ có ký tự không hợp lệ.", "The text has invalid characters."),
    "string_too_short": ("Cần ít nhất {min_length} ký tự.", "At least {min_length} characters are needed."),
    "string_too_long": ("Tối đa {max_length} ký tự.", "At most {max_length} characters are allowed."),
    "string_pattern_mismatch": (
        "Giá trị phải theo mẫu {pattern}.",
        "The value must match the pattern {pattern}.",
    ),
    "int_type": ("Hãy ghi một số nguyên.", "Give a whole number."),
    "int_parsing": ("Hãy ghi một số nguyên.", "Give a whole number."),
    "int_from_float": ("Hãy ghi một số nguyên, không có phần lẻ.", "Give a whole number, no fraction."),
    "int_parsing_size": ("Số quá lớn.", "The number is too large."),
    "float_type": ("Hãy ghi một số.", "Give a number."),
    "float_parsing": ("Hãy ghi một số.", "Give a number."),
    "finite_number": ("Hãy ghi một số hữu hạn.", "Give a finite number."),
    "decimal_type": ("Hãy ghi một số thập phân.", "Give a decimal number."),
    "decimal_parsing": ("Hãy ghi một số thập phân.", "Give a decimal number."),
    "decimal_max_digits": ("Tối đa {max_digits} chữ số.", "At most {max_digits} digits are allowed."),
    "decimal_max_places": (
        "Tối đa {decimal_places} chữ số thập phân.",
        "At most {decimal_places} decimal places are allowed.",
    ),
    "bool_type": ("Hãy ghi true hoặc false.", "Give true or false."),
    "bool_parsing": ("Hãy ghi true hoặc false.", "Give true or false."),
    "greater_than": ("Giá trị phải lớn hơn {gt}.", "The value must be greater than {gt}."),
    "greater_than_equal": ("Giá trị phải từ {ge} trở lên.", "The value must be at least {ge}."),
    "less_than": ("Giá trị phải nhỏ hơn {lt}.", "The value must be less than {lt}."),
    "less_than_equal": ("Giá trị không được vượt quá {le}.", "The value must be at most {le}."),
    "multiple_of": (
        "Giá trị phải là bội của {multiple_of}.",
        "The value must be a multiple of {multiple_of}.",
    ),
    "enum": ("Chọn một trong: {expected}.", "Choose one of: {expected}."),
    "literal_error": ("Chọn một trong: {expected}.", "Choose one of: {expected}."),
    "uuid_type": ("Hãy ghi một mã UUID.", "Give a UUID."),
    "uuid_parsing": ("Hãy ghi một mã UUID.", "Give a UUID."),
    "date_type": ("Hãy ghi ngày dạng NĂM-THÁNG-NGÀY.", "Give a date as YEAR-MONTH-DAY."),
    "date_parsing": ("Hãy ghi ngày dạng NĂM-THÁNG-NGÀY.", "Give a date as YEAR-MONTH-DAY."),
    "date_from_datetime_parsing": ("Hãy ghi ngày dạng NĂM-THÁNG-NGÀY.", "Give a date as YEAR-MONTH-DAY."),
    "date_from_datetime_inexact": ("Hãy ghi ngày, không ghi giờ.", "Give a date without a time."),
    "datetime_parsing": ("Hãy ghi thời điểm theo ISO 8601.", "Give a moment in ISO 8601."),
    "datetime_from_date_parsing": ("Hãy ghi thời điểm theo ISO 8601.", "Give a moment in ISO 8601."),
    "timezone_aware": ("Thời điểm phải có múi giờ.", "The moment needs a time zone."),
    "list_type": ("Hãy ghi một danh sách.", "Give a list."),
    "too_short": ("Cần ít nhất {min_length} mục.", "At least {min_length} items are needed."),
    "too_long": ("Tối đa {max_length} mục.", "At most {max_length} items are allowed."),
    "dict_type": ("Hãy ghi một đối tượng JSON.", "Give a JSON object."),
    "model_type": ("Hãy ghi một đối tượng JSON.", "Give a JSON object."),
    "model_attributes_type": ("Hãy gửi một đối tượng JSON.", "Send a JSON object."),
}
_ANY = ("Giá trị không hợp lệ ({type}).", "The value is not valid ({type}).")


def invalid(errors: Sequence[Mapping[str, Any]]) -> Invalid:
    """The named problem for pydantic's `errors`: each field, the rule it breaks, and what to do.

    A validator of ours that raises `ValueError(message)` is quoted; the value itself never is, because it
    may be personal.
    """
    found = [_field(error) for error in errors[:100]]
    first = found[0]
    return Invalid(f"{first.field}: {first.message_vi}", f"{first.field}: {first.message_en}", errors=found)


def _field(error: Mapping[str, Any]) -> FieldError:
    rule = str(error["type"])
    place = ".".join(str(part) for part in error["loc"]) or "body"
    context = dict(error.get("ctx") or {})
    if rule == "value_error":
        message = str(context.get("error", ""))
        return FieldError(place, rule.replace("_", "-"), message, message)
    values = context | {"type": rule}
    vi, en = _TEXTS.get(rule, _ANY)
    try:
        vi, en = vi.format_map(values), en.format_map(values)
    except (KeyError, ValueError):
        vi, en = _ANY[0].format_map(values), _ANY[1].format_map(values)
    return FieldError(place, rule.replace("_", "-"), vi, en)
