"""What training reads from its environment, beside what every service reads."""

from pydantic import Field

from benvung.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of training."""

    port: int = Field(default=8103, ge=1, le=65535, description="port to listen on")
