"""A rule of the law or of arithmetic that a request breaks."""


class Refused(Exception):
    """A named rule says no. `field` is the place in the request, `legal` the article behind the rule.

    Not a frozen dataclass: Python itself sets `__traceback__` on an exception on its way up.
    """

    def __init__(
        self,
        rule: str,
        *,
        message_vi: str,
        message_en: str,
        field: str | None = None,
        legal: str | None = None,
    ) -> None:
        super().__init__(message_en)
        self.rule = rule
        self.message_vi = message_vi
        self.message_en = message_en
        self.field = field
        self.legal = legal
