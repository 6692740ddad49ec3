"""What households reads from its environment."""

from benvung.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings all services share; `data_key` is needed, because the register holds personal data.

    `score_tables` is a folder with approved score tables of form B1; without it totals are given.
    """

    port: int = 8101
    score_tables: str = ""
