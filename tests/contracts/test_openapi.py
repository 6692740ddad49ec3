"""The OpenAPI documents are valid, and their examples are true: right by their schemas, and taken by the service."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.contracts.services import SERVICES
from tests.contracts.test_http import FILLED, in_kong_chro
from tests.households.dividing import for_path

from benvung import contracts
from benvung.testing import App, Engine

__all__ = ["in_kong_chro"]

JSON = "application/json"
Content = tuple[str, dict[str, Any]]


def document(service: str) -> dict[str, Any]:
    """The committed document of a service."""
    found: dict[str, Any] = json.loads((contracts.folder(service) / "openapi.json").read_text("utf-8"))
    return found


def contents(doc: dict[str, Any]) -> Iterator[Content]:
    """Where JSON is sent or answered with success, and what the document says of it."""
    for path, methods in doc["paths"].items():
        for method, operation in methods.items():
            where = f"{method.upper()} {path}"
            yield from _json(f"{where} body", operation.get("requestBody", {}))
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    yield from _json(f"{where} {status}", answer)


def _json(where: str, holder: dict[str, Any]) -> Iterator[Content]:
    if JSON in holder.get("content", {}):
        yield where, holder["content"][JSON]


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_is_valid(service: str) -> None:
    assert [str(each) for each in OpenAPIV31SpecValidator(document(service)).iter_errors()] == []


def test_the_validator_finds_a_planted_fault() -> None:
    doc = document("training")
    doc["paths"]["/v1/classes/{class_id}"]["get"]["parameters"][0]["in"] = "somewhere"

    assert list(OpenAPIV31SpecValidator(doc).iter_errors())


@pytest.mark.parametrize("service", SERVICES)
def test_every_body_and_every_answer_has_an_example(service: str) -> None:
    assert [where for where, content in contents(document(service)) if "example" not in content] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_example_is_right_by_its_schema(service: str) -> None:
    doc = document(service)
    wrong = []
    for where, content in contents(doc):
        schema = {**content["schema"], "components": doc["components"]}
        check = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        wrong += [f"{where}: {error.message}" for error in check.iter_errors(content["example"])]

    assert wrong == []


REFUSED_AS_MALFORMED = {"input-invalid", "body-unreadable", "media-unsupported", "body-too-large"}


@pytest.mark.usefixtures("in_kong_chro")
@pytest.mark.parametrize("service", SERVICES)
async def test_the_service_takes_the_bodies_that_its_document_shows(
    app: App, engine: Engine, service: str
) -> None:
    client = await app(service)
    real = await FILLED[service](client, engine)
    doc, malformed = document(service), []
    for path, methods in doc["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if JSON in content:
                answer = await client.request(
                    method, path.format(**for_path(path, real)), json=content[JSON]["example"]
                )
                malformed += [f"{method} {path}: {answer.text}"] if is_malformed(answer) else []

    assert malformed == []


def is_malformed(answer: httpx2.Response) -> bool:
    """Whether the body itself was refused, rather than what it asks for."""
    assert answer.status_code < 500, answer.text
    return answer.is_error and answer.json()["rule"] in REFUSED_AS_MALFORMED


async def test_a_body_that_cannot_be_taken_is_noticed(app: App) -> None:
    client = await app("training")

    assert is_malformed(await client.post("/v1/classes", json={"title": 1}))
