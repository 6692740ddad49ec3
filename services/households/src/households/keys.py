"""`households keys …`, `households reseal`, and what being ready needs: every key that values may be under."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from benvung import db
from benvung.settings import ServiceSettings
from benvung.vault import Vault
from households import actions, store
from households.domain import Refused

T = TypeVar("T")
TELL_SECONDS = 2.0


class KeyCheck:
    """Not ready while a key is missing that values may be under."""

    def __init__(self, settings: ServiceSettings) -> None:
        self._settings = settings

    @cached_property
    def _vault(self) -> Vault | None:
        key = self._settings.data_key.get_secret_value()
        return Vault.from_base64(key) if key else None

    async def __call__(self, engine: AsyncEngine) -> tuple[str, str] | None:
        """What is missing, in both languages."""
        if self._vault is None:
            return "chưa cấu hình DATA_KEY", "DATA_KEY is not configured"
        async with engine.begin() as conn:
            missing = await actions.keys.missing(conn, self._vault)
        if not missing:
            return None
        names = ", ".join(missing)
        return (
            f"dữ liệu còn dùng khóa {names} mà DATA_KEY không có; chạy `households keys retire` trước khi bỏ khóa",
            f"data are under the key {names}, which DATA_KEY lacks; `households keys retire` comes before dropping it",
        )


def install(app: typer.Typer, settings: Callable[[], ServiceSettings]) -> None:
    """Add the commands about keys to a service's command line."""
    keys = typer.Typer(
        no_args_is_help=True, help="Data keys: which values are under which, and retiring one."
    )
    app.add_typer(keys, name="keys")

    @app.command()
    def reseal(
        chunk: Annotated[int, typer.Option(min=1, max=5000, help="rows of one transaction")] = 500,
    ) -> None:
        """Bring everything sealed under the first key of DATA_KEY, beside the daily work. May be broken off."""

        async def work(engine: AsyncEngine, vault: Vault) -> int:
            return await actions.keys.reseal(engine, vault, _Progress(), chunk=chunk)

        done = _run(settings(), work)
        typer.echo(f"Đã mã hóa lại {done} dòng. / {done} rows were sealed again.")

    @keys.command()
    def show() -> None:
        """How many values are under each key. Exit 1 when some are under a key that DATA_KEY lacks."""

        async def work(engine: AsyncEngine, vault: Vault) -> bool:
            async with engine.connect() as conn:
                found = await store.sealed.counted(conn)
                retired = await store.sealed.keys_in_use(conn)
            for key in dict.fromkeys((*vault.key_ids, *sorted(found), *sorted(retired))):
                _tell(key, vault, found.get(key, {}), retired=retired.get(key, False))
            return all(key in {"", *vault.key_ids} for key in found)

        if not _run(settings(), work):
            raise typer.Exit(1)

    @keys.command()
    def retire(key: Annotated[str, typer.Argument(help="the key's name, from `keys show`")]) -> None:
        """Say that a key may be taken out of DATA_KEY; refused while anything is under it."""

        async def work(engine: AsyncEngine, vault: Vault) -> None:
            async with engine.begin() as conn:
                await actions.keys.retire(conn, vault, key)

        try:
            _run(settings(), work)
        except Refused as refused:
            typer.echo(f"{refused.rule}: {refused.message_vi} / {refused.message_en}", err=True)
            raise typer.Exit(1) from None
        typer.echo(f"Khóa {key} không còn cần nữa. / The key {key} is needed no more.")


def _run(settings: ServiceSettings, work: Callable[[AsyncEngine, Vault], Awaitable[T]]) -> T:
    vault = Vault.from_base64(settings.data_key.get_secret_value())

    async def whole() -> T:
        engine = db.create_engine(settings)
        try:
            return await work(engine, vault)
        finally:
            await engine.dispose()

    return asyncio.run(whole())


def _tell(key: str, vault: Vault, found: dict[str, int], *, retired: bool) -> None:
    if key == vault.key_id:
        role = "đang mã hóa / seals"
    elif key in vault.key_ids:
        role = "đang được thay / being replaced"
    elif not key:
        role = "chưa ghi khóa / names no key"
    else:
        role = "đã thôi dùng / retired" if retired else "không có trong DATA_KEY / not in DATA_KEY"
    tables = ", ".join(f"{name} {count}" for name, count in sorted(found.items()))
    typer.echo(f"{key or '—'}  {sum(found.values())}  {role}{f'  ({tables})' if tables else ''}")


class _Progress:
    def __init__(self) -> None:
        self._next = time.monotonic() + TELL_SECONDS

    def __call__(self, table: str, done: int) -> None:
        if time.monotonic() >= self._next:
            typer.echo(f"{table}: {done}", err=True)
            self._next = time.monotonic() + TELL_SECONDS
