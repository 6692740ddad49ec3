"""Names and numbers as those see them who need to recognise somebody of another area, and no more."""

SHOWN_DIGITS = 3


def masked_name(name: str) -> str:
    """The first letter of each word, and a star for each other one: Đinh Mới → Đ*** M**."""
    return " ".join(word[0] + "*" * (len(word) - 1) for word in name.split())


def masked_number(number: str | None) -> str | None:
    """The last three digits of a number."""
    if number is None:
        return None
    return "*" * (len(number) - SHOWN_DIGITS) + number[-SHOWN_DIGITS:]
