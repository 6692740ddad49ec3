"""What reporting reads from its environment, beside what every service reads."""

from pydantic import Field

from benvung.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of reporting."""

    port: int = Field(default=8104, ge=1, le=65535, description="port to listen on")
    cache_dir: str = Field(
        default="", description="folder for the chart drawing bundle, made once; empty = temporary folder"
    )
