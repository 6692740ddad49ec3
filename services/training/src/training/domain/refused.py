"""How a rule says no."""


class Refused(Exception):
    """A rule says no. `rule` names it, the messages say why, `field` is where the input said so."""

    def __init__(
        self, rule: str, message_vi: str, message_en: str, field: str | None = None, legal: str | None = None
    ) -> None:
        super().__init__(message_en)
        self.rule = rule
        self.message_vi = message_vi
        self.message_en = message_en
        self.field = field
        self.legal = legal
