"""`<service> contracts`, run on a planted service: it writes, adds, and refuses to break what is committed."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import pytest
import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, create_model
from typer.testing import CliRunner, Result

from benvung import auth, contracts, web
from benvung.envelope import LATER, EventData
from benvung.service import Service
from benvung.settings import ServiceSettings

Contracts = Callable[..., Result]
THING = "planted.thing.moved.v1"
EVENT = f"events/{THING}.json"


class Part(BaseModel):
    """Where a thing was."""

    model_config = ConfigDict(extra="forbid")

    place: str = Field(examples=["shelf"])


class Moved(EventData):
    """A thing was moved."""

    province: str | None = Field(examples=["64"])
    commune: str | None = Field(examples=[None])
    revision: int = Field(examples=[1])
    thing_id: str = Field(examples=["T-1"])
    size: int = Field(ge=0, examples=[3])
    kind: Literal["SMALL", "LARGE"]
    before: Part | None

    @property
    def subject_id(self) -> str:
        return self.thing_id


def event(
    *, gone: str = "", restricted: bool = False, event_type: str = THING, **fields: Any
) -> type[EventData]:
    """The planted event with other fields; `gone` names one that it lacks."""

    class Planted(EventData):
        @property
        def subject_id(self) -> str:
            return str(vars(self)["thing_id"])

    shape: dict[str, Any] = {
        name: (field.annotation, field)
        for name, field in Moved.model_fields.items()
        if name not in {gone, *fields}
    }
    make: Any = create_model  # its stubs leave no room for fields made elsewhere
    made = make("Moved", __base__=Planted, __doc__=Moved.__doc__, **shape, **fields)
    made.event_type, made.restricted = event_type, restricted
    return cast("type[EventData]", made)


class Thing(BaseModel):
    """What is answered."""

    name: str


class Measured(Thing):
    """The same, saying more."""

    size: int


def router(path: str = "/v1/things", more: bool = False) -> APIRouter:
    """The planted operations."""
    made = APIRouter(dependencies=[auth.PUBLIC])
    shown = Measured if more else Thing

    @made.get(path, response_model=shown)
    async def read(limit: int = 1) -> dict[str, str]:
        return {"name": str(limit), "size": "1"}

    return made


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A service's folder in the workspace, with a package that has nothing in it."""
    home = tmp_path / "planted_service"
    (home / "src" / "planted").mkdir(parents=True)
    (home / "src" / "planted" / "__init__.py").touch()
    (home / "migrations").mkdir()
    monkeypatch.syspath_prepend(str(home / "src"))
    yield home
    sys.modules.pop("planted", None)
    contracts.values.cache_clear()


@pytest.fixture
def run(package: Path) -> Contracts:
    """Runs the command of a service that tells and answers what is given."""

    def of(*arguments: str, events: tuple[type[EventData], ...] | None = None, **more: Any) -> Result:
        service = Service(
            name="planted",
            title_vi="Thử",
            title_en="Planted",
            package="planted",
            settings=ServiceSettings(database_url="postgresql://", port=1),
            metadata=sa.MetaData(),
            routers=[router(**more)],
            events=(event(),) if events is None else events,
            streams={"PLANTED": ()},
        )
        contracts.values.cache_clear()
        return CliRunner().invoke(web.cli(lambda: service), ["contracts", *arguments])

    return of


def files(package: Path) -> dict[str, str]:
    """What is committed."""
    return contracts.committed(package / "contracts")


def test_everything_is_written_once_and_then_stays(run: Contracts, package: Path) -> None:
    first = run()
    present = files(package)

    assert first.exit_code == 0, first.output
    assert set(first.stdout.split()) == set(present)
    assert set(present) == {EVENT, f"examples/{THING}/1.json", "asyncapi.json", "openapi.json"}
    assert (run().stdout, files(package)) == ("", present)
    assert run("--check").exit_code == 0


def test_check_fails_and_writes_nothing_when_files_differ(run: Contracts, package: Path) -> None:
    run()
    present = files(package)

    checked = run("--check", events=(event(more=(Annotated[int, LATER], Field(examples=[1]))),))

    assert checked.exit_code == 1
    assert EVENT in checked.stdout.split()
    assert files(package) == present


def test_a_field_that_is_added_gets_an_example_of_its_own_and_the_old_one_stays(
    run: Contracts, package: Path
) -> None:
    run()
    first = files(package)[f"examples/{THING}/1.json"]
    grown = event(colour=(Annotated[str, LATER], Field(examples=["red"])))

    added = run(events=(grown,))

    assert added.exit_code == 0, added.output
    present = files(package)
    assert present[f"examples/{THING}/1.json"] == first
    second = json.loads(present[f"examples/{THING}/2.json"])
    assert second["data"] == {**json.loads(first)["data"], "colour": "red"}
    assert int(second["sequence"]) == 2
    assert second["id"] != json.loads(first)["id"]
    assert "colour" not in json.loads(present[EVENT])["properties"]["data"]["required"]
    assert (
        json.loads(present["asyncapi.json"])["channels"][THING]["messages"][THING]["examples"][0]["payload"]
        == second
    )


def test_an_example_for_which_no_value_is_known_is_asked_for(run: Contracts, package: Path) -> None:
    bare = event(colour=(Annotated[str, LATER], Field()))
    run()

    asked = run(events=(bare,))
    assert asked.exit_code == 1
    assert f"{THING}.colour: examples.json needs 'colour' or 'Moved.colour'" in asked.stderr

    (package / "src" / "planted" / "examples.json").write_text('{"Moved.colour": "blue"}')
    assert run(events=(bare,)).exit_code == 0
    assert json.loads(files(package)[f"examples/{THING}/2.json"])["data"]["colour"] == "blue"


class Later(Part):
    """A part with a field that it did not have."""

    more: int = Field(examples=[1])


class Less(BaseModel):
    """A part without the field that it had."""


PLANTED: list[Any] = [
    ("a field is gone", event(gone="size"), f"{THING} data.size: the field is gone (field-removed)"),
    ("a field is new and required", event(more=(int, Field(examples=[1]))),
     f"{THING} data.more: is required, and what was written before lacks it: mark it LATER (field-required)"),
    ("a field may be missing", event(size=(Annotated[int, LATER], Field(ge=0, examples=[3]))), f"{THING} data.size: was always there"),
    ("a value is new", event(kind=(Literal["SMALL", "LARGE", "HUGE"], ...)), f'{THING} data.kind: the value "HUGE" is new'),
    ("a value is gone", event(kind=(Literal["SMALL"], ...)), f'{THING} data.kind: the value "LARGE" is refused now'),
    ("null is new", event(size=(int | None, Field(examples=[3]))), f"{THING} data.size: the type null is new"),
    ("null is gone", event(before=(Part, ...)), f"{THING} data.before: the type null is refused now"),
    ("another type", event(size=(str, Field(examples=["3"]))), f"{THING} data.size: the type string is new"),
    ("a limit moved", event(size=(int, Field(ge=1, examples=[3]))), f"{THING} data.size: minimum was 0, is 1 (limit-changed)"),
    ("a part's field is gone", event(before=(Less | None, ...)), f"{THING} data.before.place: the field is gone"),
    ("a part's field is new and required", event(before=(Later | None, ...)), f"{THING} data.before.more: is required"),
    ("the event moves to another stream", event(restricted=True), f"{THING}: was told on {THING}"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "words"), [each[1:] for each in PLANTED], ids=[each[0] for each in PLANTED]
)
def test_a_breaking_change_of_an_event_is_refused_and_named(
    changed: type[EventData], words: str, run: Contracts, package: Path
) -> None:
    run()
    present = files(package)

    refused = run(events=(changed,))

    assert refused.exit_code == 1
    assert words in refused.stderr
    assert "make the new meaning the next version beside it" in refused.stderr
    assert files(package) == present, "nothing was written"


def test_an_event_that_is_gone_is_refused(run: Contracts) -> None:
    run()

    refused = run(events=())

    assert refused.exit_code == 1
    assert f"{THING}: the event is gone" in refused.stderr


def test_a_second_version_beside_the_first_is_welcome(run: Contracts, package: Path) -> None:
    second = event(size=(str, Field(examples=["3 m"])), event_type="planted.thing.moved.v2")
    run()

    assert run(events=(event(), second)).exit_code == 0
    assert "events/planted.thing.moved.v2.json" in files(package)


def test_words_may_be_changed(run: Contracts) -> None:
    run()

    assert run(events=(event(size=(int, Field(ge=0, description="in metres", examples=[4]))),)).exit_code == 0


def test_an_operation_that_is_gone_is_refused(run: Contracts) -> None:
    run()

    refused = run(path="/v1/objects")

    assert refused.exit_code == 1
    assert "GET /v1/things: the operation is gone (operation-removed)" in refused.stderr


def test_an_answer_that_says_less_is_refused_and_one_that_says_more_is_not(run: Contracts) -> None:
    run()
    assert run(more=True).exit_code == 0

    refused = run()

    assert refused.exit_code == 1
    assert "GET /v1/things answer 200 size: the field is gone (field-removed)" in refused.stderr
