"""What every service reads from its environment, and nothing else does."""

import datetime as dt

from pydantic import Field, FilePath, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from benvung import agencies


class ServiceSettings(BaseSettings):
    """Settings all services share. A service adds its own in a subclass; `main` builds it, once."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore", frozen=True)

    database_url: SecretStr = Field(
        description="postgresql://user:password@host:port/database of this service"
    )
    database_pool: int = Field(default=8, ge=1, le=100, description="connections kept for HTTP requests")
    nats_url: str = Field(default="nats://127.0.0.1:4222", description="address of the NATS server")
    nats_user: str = Field(default="", description="this service's NATS user; empty = its own name")
    nats_password: SecretStr = Field(default=SecretStr(""), description="password of the NATS user")
    nats_shared_account: bool = Field(
        default=False,
        description="all services are users of one NATS account that may do everything (test servers only)",
    )
    agencies_file: FilePath | None = Field(
        default=None, description="TOML file of the agencies that read this service's streams; empty = none"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8100, ge=1, le=65535, description="port to listen on")
    public_url: str = Field(default="", description="address under which browsers reach this service")
    issuer_url: str = Field(default="", description="OpenID Connect issuer; empty = nobody can sign in")
    issuer_internal_url: str = Field(
        default="", description="address this service itself uses to reach the issuer, if another"
    )
    audience: str = Field(default="benvung", description="audience that access tokens must name")
    client_id: str = Field(default="benvung", description="OpenID Connect client of the web pages")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="secret of that client, if it has one"
    )
    households_url: str = Field(default="", description="address of the households pages, for links")
    funding_url: str = Field(default="", description="address of the funding pages, for links")
    training_url: str = Field(default="", description="address of the training pages, for links")
    reporting_url: str = Field(default="", description="address of the reporting pages, for links")
    data_key: SecretStr = Field(
        default=SecretStr(""),
        description="base64 of 32 bytes: seals personal data at rest; while it is being replaced the new key,"
        " a comma and the old one",
    )
    audit_key: SecretStr = Field(
        default=SecretStr(""),
        description="base64 of 32 bytes: seals the audit so that only who knows it can write seals; after a"
        " change the new key, a comma and the old one; empty = seals without a key",
    )
    business_date: dt.date | None = Field(
        default=None, description="fixes the business date (demonstrations and tests); empty = today"
    )
    province: str = Field(default="64", description="code of the province this deployment serves")
    max_upload_mb: int = Field(default=25, ge=1, le=500, description="largest accepted upload")
    upload_dir: str = Field(default="", description="folder for uploads being read; empty = temporary folder")
    idempotency_days: int = Field(
        default=7, ge=1, le=365, description="days for which an Idempotency-Key is remembered"
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    projection_batch: int = Field(default=500, ge=1, le=5000, description="events per projection transaction")

    @field_validator("audit_key")
    @classmethod
    def _usable(cls, given: SecretStr) -> SecretStr:
        # The audit's modules stand on these settings.
        from benvung.audit.chain import Keys

        Keys.of(given.get_secret_value())
        return given

    @field_validator("agencies_file")
    @classmethod
    def _agencies_can_be_read(cls, path: FilePath | None) -> FilePath | None:
        if path is not None:
            agencies.read(path)
        return path

    def sqlalchemy_url(self) -> str:
        """The database address with the psycopg driver named, as SQLAlchemy and Alembic want it."""
        return self.database_url.get_secret_value().replace("postgresql://", "postgresql+psycopg://", 1)

    def psycopg_url(self) -> str:
        """The database address as psycopg wants it."""
        return self.database_url.get_secret_value().replace("postgresql+psycopg://", "postgresql://", 1)
