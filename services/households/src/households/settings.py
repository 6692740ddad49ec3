"""What households reads from its environment."""

from benvung.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings all services share; `data_key` is needed, because the register holds personal data."""

    port: int = 8101
