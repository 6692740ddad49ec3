"""What this service reads from its environment: what every service does, on its own port."""

from pydantic import Field

from benvung.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the funding service."""

    port: int = Field(default=8102, ge=1, le=65535, description="port to listen on")
