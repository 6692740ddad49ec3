"""What every route and every event promises: a permission, whole answers, nothing personal."""

import importlib
import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from pydantic import BaseModel

from benvung import auth, idempotency, web
from benvung.envelope import EventData

SERVICES = ("households", "funding", "training", "reporting")
PERMISSION = re.compile(r"^(public|[a-z]+(\.[a-z]+)?)$")
# What is settled or asked for here knows itself that it was done.
KNOWING = ("/v1/dead-letters/", "/v1/rebuilds")
# Asks in its body, because what is looked for may stand in no address or is too much for one; it changes nothing.
ASKING = ("/v1/households/search", "/v1/lookups", "/v1/movements/check")
PERSONAL = {
    "name", "full_name", "head", "head_name", "citizen_id", "birth_date", "phone", "address", "ethnicity",
    "note", "comment", "title", "venue",
}  # fmt: skip


def service(name: str) -> web.Service:
    settings = importlib.import_module(f"{name}.settings").Settings(
        database_url="postgresql://nobody:password@127.0.0.1:1/none", data_key=""
    )
    built: web.Service = importlib.import_module(f"{name}.main").build(settings)
    return built


def undeclared(app: FastAPI) -> list[str]:
    """Routes that neither ask for a permission nor say that they are public."""
    return [path for path, _, declared in web.routes(app) if not declared or not PERMISSION.match(declared)]


def models(kind: Any) -> Iterator[type[BaseModel]]:
    """The model and all models inside its fields."""
    found: dict[type[BaseModel], None] = {}
    waiting = [kind]
    while waiting:
        current = waiting.pop()
        waiting.extend(getattr(current, "__args__", ()))
        if isinstance(current, type) and issubclass(current, BaseModel) and current not in found:
            found[current] = None
            waiting.extend(field.annotation for field in current.model_fields.values())
    return iter(found)


def optional_fields(kind: Any) -> list[str]:
    """Fields a model may leave out. An answer has all its fields, null where there is nothing to say."""
    return [
        f"{model.__name__}.{name}"
        for model in models(kind)
        for name, field in model.model_fields.items()
        if not field.is_required()
    ]


def loose_answers(app: FastAPI) -> list[str]:
    """Fields with defaults in the models that routes answer with."""
    answers = [getattr(route, "response_model", None) for _, route, _ in web.routes(app)]
    return sorted({field for answer in answers if answer is not None for field in optional_fields(answer)})


def careless_writes(app: FastAPI) -> list[str]:
    """Ways to change something twice by asking twice, or to write over what somebody else just wrote."""
    headers = {"post": idempotency.HEADER, "put": "If-Match", "patch": "If-Match"}
    return [
        f"{method} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if method in headers and not path.startswith(KNOWING) and path not in ASKING
        if headers[method] not in {each["name"] for each in operation.get("parameters", ())}
    ]


def personal_fields(event: type[EventData]) -> list[str]:
    """Fields of an event that may hold something personal or free text."""
    return [
        f"{model.__name__}.{name}"
        for model in models(event)
        for name in model.model_fields
        if name in PERSONAL
    ]


@pytest.fixture(scope="module", params=SERVICES)
def one(request: pytest.FixtureRequest) -> web.Service:
    return service(request.param)


def test_every_route_declares_who_may_call_it(one: web.Service) -> None:
    assert not undeclared(web.create_app(one, worker=False))


def test_answers_have_all_their_fields(one: web.Service) -> None:
    assert not loose_answers(web.create_app(one, worker=False))


def test_whatever_changes_something_may_be_asked_for_again(one: web.Service) -> None:
    assert not careless_writes(web.create_app(one, worker=False))


def test_events_have_all_their_fields_and_nothing_personal(one: web.Service) -> None:
    assert not [field for event in one.events for field in optional_fields(event)]
    assert not [field for event in one.events if not event.restricted for field in personal_fields(event)]


def test_events_belong_to_the_service_and_are_named_in_the_past(one: web.Service) -> None:
    past = re.compile(rf"{one.name}(\.[a-z_]+)+\.([a-z_]+ed|left|withdrawn)\.v[1-9]")

    assert [event.event_type for event in one.events if not past.fullmatch(event.event_type)] == []
    assert {event.stream() for event in one.events} <= set(one.streams)


class Loose(BaseModel):
    """A planted answer with a default."""

    given: str = ""


class Outer(BaseModel):
    """It hides one level down."""

    inside: list[Loose] | None


class Told(EventData):
    """A planted event that tells a name."""

    head_name: str


def planted() -> FastAPI:
    router = APIRouter()

    @router.get("/nobody-asked")
    async def nobody_asked() -> Outer:
        return Outer(inside=None)

    @router.get("/asked")
    async def asked(
        principal: Annotated[auth.Principal, Depends(auth.require("things.read"))],
    ) -> dict[str, str]:
        return {"who": principal.subject}

    @router.get("/public", dependencies=[auth.PUBLIC])
    async def public() -> dict[str, str]:
        return {}

    @router.post("/pays-twice", dependencies=[auth.PUBLIC])
    async def pays_twice() -> dict[str, str]:
        return {}

    @router.put("/writes-over", dependencies=[auth.PUBLIC])
    async def writes_over() -> dict[str, str]:
        return {}

    app = FastAPI(openapi_url=None)
    app.include_router(router)
    return app


def test_planted_violations_are_caught() -> None:
    app = planted()

    assert undeclared(app) == ["/nobody-asked"]
    assert loose_answers(app) == ["Loose.given"]
    assert careless_writes(app) == ["post /pays-twice", "put /writes-over"]
    assert personal_fields(Told) == ["Told.head_name"]
