"""Every refusal is a named rule, answered as `application/problem+json` (RFC 9457).

A rule is a subclass of `Problem`. A domain, which knows no HTTP, raises an exception of its own with
`rule`, `message_vi`, `message_en`, `field` and `legal`; it is answered as 422 in the same form.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import BaseModel, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
RULES = "https://benvung.vn/rules/"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One input that broke a rule: where it is, the rule's name, and what to do."""

    field: str
    rule: str
    message_vi: str
    message_en: str


class Problem(Exception):
    """A refusal with a name. Subclasses say which rule, with which status, and by which law."""

    status: int = 422
    rule: ClassVar[str] = "refused"
    title_vi: ClassVar[str] = "Yêu cầu bị từ chối"
    title_en: ClassVar[str] = "The request was refused"
    legal: ClassVar[str | None] = None

    def __init__(
        self,
        detail_vi: str = "",
        detail_en: str = "",
        *,
        errors: Sequence[FieldError] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail_en or detail_vi or self.title_en)
        self.detail_vi = detail_vi or self.title_vi
        self.detail_en = detail_en or detail_vi or self.title_en
        self.errors = tuple(errors)
        self.headers = headers or {}


class NotFound(Problem):
    """There is no such thing, or it is not for the asker to know that there is."""

    status, rule = 404, "not-found"
    title_vi, title_en = "Không tìm thấy", "Not found"


class MethodNotAllowed(Problem):
    """This address does not know this method."""

    status, rule = 405, "method-not-allowed"
    title_vi, title_en = "Phương thức không được hỗ trợ ở địa chỉ này", "This address has no such method"


class Unauthenticated(Problem):
    """Nobody is signed in, or the token is not valid."""

    status, rule = 401, "sign-in-needed"
    title_vi, title_en = "Cần đăng nhập", "Sign-in is needed"

    def __init__(self, detail_vi: str = "", detail_en: str = "") -> None:
        super().__init__(detail_vi, detail_en, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Problem):
    """The person who asks may not do this."""

    status, rule = 403, "not-permitted"
    title_vi, title_en = "Không có quyền thực hiện", "Not permitted"


class Conflict(Problem):
    """The request contradicts what is recorded."""

    status, rule = 409, "conflict"
    title_vi, title_en = "Mâu thuẫn với dữ liệu đã ghi", "This contradicts what is recorded"


class Unreadable(Problem):
    """The body is not what its Content-Type says."""

    status, rule = 400, "body-unreadable"
    title_vi, title_en = "Không đọc được nội dung gửi lên", "The body cannot be read"


class Invalid(Problem):
    """Fields are missing or break a rule; each is named."""

    status, rule = 422, "input-invalid"
    title_vi, title_en = "Dữ liệu chưa hợp lệ", "The input is not valid"


class NotStorable(Problem):
    """A value holds characters or a magnitude that no record can hold."""

    status, rule = 422, "value-not-storable"
    title_vi, title_en = "Có giá trị không thể lưu trữ", "A value cannot be stored"


class TooLarge(Problem):
    """The body is larger than this address accepts."""

    status, rule = 413, "body-too-large"
    title_vi, title_en = "Nội dung gửi lên quá lớn", "The body is too large"


class UnsupportedMedia(Problem):
    """This kind of content is not accepted here."""

    status, rule = 415, "media-unsupported"
    title_vi, title_en = "Định dạng không được hỗ trợ", "This kind of content is not accepted"


class NotReady(Problem):
    """Something this service needs does not answer at the moment; the same request may be sent again."""

    status, rule = 503, "not-ready"
    title_vi, title_en = "Dịch vụ chưa sẵn sàng", "The service is not ready"

    def __init__(
        self, detail_vi: str = "", detail_en: str = "", *, errors: Sequence[FieldError] = ()
    ) -> None:
        super().__init__(detail_vi, detail_en, errors=errors, headers={"Retry-After": "1"})


class Failed(Problem):
    """A defect of ours. The answer carries the request's id and nothing of the inside."""

    status, rule = 500, "internal-failure"
    title_vi, title_en = "Lỗi trong hệ thống", "An internal failure"


class ProblemError(BaseModel):
    """One field that broke a rule."""

    field: str = Field(description="place of the value, as a path: body.members", examples=["body.members"])
    rule: str = Field(description="name of the rule that the value breaks", examples=["missing"])
    message: str = Field(description="what is wrong and what to do", examples=["Hãy điền trường này."])


class ProblemDocument(BaseModel):
    """A refusal as it is answered (RFC 9457)."""

    type: str = Field(description="address of the rule", examples=[RULES + "input-invalid"])
    title: str = Field(description="the rule in a few words", examples=["Dữ liệu chưa hợp lệ"])
    status: int = Field(description="the HTTP status", examples=[422])
    detail: str = Field(description="what happened this time and what to do")
    instance: str = Field(description="path of the request", examples=["/v1/items"])
    rule: str = Field(description="name of the rule", examples=["input-invalid"])
    legal: str | None = Field(description="the legal article behind the rule, if it comes from law")
    errors: list[ProblemError] = Field(description="the fields concerned")
    request_id: str = Field(description="id under which the request is found in the logs")


def document(problem: Exception, *, lang: str, instance: str, request_id: str) -> dict[str, Any]:
    """The body of a problem answer. `problem` is a `Problem` or a domain's own named refusal."""
    if not isinstance(problem, Problem):
        return _domain_document(problem, lang=lang, instance=instance, request_id=request_id)
    vietnamese = lang == "vi"
    return {
        "type": RULES + problem.rule,
        "title": problem.title_vi if vietnamese else problem.title_en,
        "status": problem.status,
        "detail": problem.detail_vi if vietnamese else problem.detail_en,
        "instance": instance,
        "rule": problem.rule,
        "legal": problem.legal,
        "errors": [
            {
                "field": each.field,
                "rule": each.rule,
                "message": each.message_vi if vietnamese else each.message_en,
            }
            for each in problem.errors
        ],
        "request_id": request_id,
    }


def is_domain_refusal(error: Exception) -> bool:
    """Whether a domain raised this to refuse by a named rule."""
    return isinstance(getattr(error, "rule", None), str) and hasattr(error, "message_vi")


def _domain_document(error: Any, *, lang: str, instance: str, request_id: str) -> dict[str, Any]:
    message: str = error.message_vi if lang == "vi" else getattr(error, "message_en", "") or error.message_vi
    field: str | None = getattr(error, "field", None)
    return {
        "type": RULES + error.rule,
        "title": Invalid.title_vi if lang == "vi" else Invalid.title_en,
        "status": 422,
        "detail": message,
        "instance": instance,
        "rule": error.rule,
        "legal": getattr(error, "legal", None),
        "errors": [{"field": field, "rule": error.rule, "message": message}] if field else [],
        "request_id": request_id,
    }


def response(problem: Exception, *, lang: str, instance: str, request_id: str) -> Response:
    """A problem as an HTTP answer, in Vietnamese (`vi`) or English (`en`)."""
    body = document(problem, lang=lang, instance=instance, request_id=request_id)
    return Response(
        json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"),
        status_code=body["status"],
        headers={"Content-Language": lang, **getattr(problem, "headers", {})},
        media_type=MEDIA_TYPE,
    )


def responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """What a route writes in `responses=` so that its named rules appear in OpenAPI."""
    found: dict[int | str, dict[str, Any]] = {}
    for problem in problems:
        line = f"`{problem.rule}`: {problem.title_en}" + (f" ({problem.legal})" if problem.legal else "")
        known = found.setdefault(problem.status, {"description": "", "content": _content()})
        known["description"] = f"{known['description']}\n\n{line}".strip()
    return found


def _content() -> dict[str, Any]:
    return {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def describe(schema: dict[str, Any]) -> dict[str, Any]:
    """Complete an OpenAPI document: the problem's schema, and on every operation what may be refused."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    document_schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(document_schema.pop("$defs"))
    schemas["Problem"] = document_schema | {"title": "Problem"}
    for path in schema.get("paths", {}).values():
        for operation in path.values():
            answers = operation.setdefault("responses", {})
            given = answers.get("422", {}).get("content", {})
            if MEDIA_TYPE not in given and "422" in answers:
                answers["422"] = {"description": Invalid.title_en, "content": _content()}
            if operation.get("security"):
                for problem in (Unauthenticated, Forbidden):
                    answers.setdefault(
                        str(problem.status), {"description": problem.title_en, "content": _content()}
                    )
            answers.setdefault("default", {"description": "Any other refusal", "content": _content()})
    return schema


def of_status(status: int, detail: str) -> Problem:
    """The kit's problem for a bare HTTP status, as the framework raises it."""
    for problem in (NotFound, MethodNotAllowed, Unreadable, TooLarge, UnsupportedMedia, Conflict, Forbidden):
        if problem.status == status:
            return problem()
    if status == HTTPStatus.UNAUTHORIZED:
        return Unauthenticated()
    refused = Problem(detail, detail) if status < HTTPStatus.INTERNAL_SERVER_ERROR else Failed()
    refused.status = status
    return refused
