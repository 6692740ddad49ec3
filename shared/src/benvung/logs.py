"""Logging, configured once: one JSON line per event, with the request it belongs to.

Event names are constant strings, values are keywords, and values are ids. Messages of exceptions are left
out of the log, because a database or a validator quotes in them what a person typed.
"""

import logging
import logging.config
import re
import sys
import traceback
from contextvars import ContextVar

import structlog

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request being answered, as echoed in `X-Request-Id`."""

traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""W3C trace context of the request being answered; events published meanwhile carry it on."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def valid_traceparent(value: str) -> bool:
    """Whether `value` is a version 00-like W3C `traceparent`; anything else is not passed on."""
    return _TRACEPARENT.fullmatch(value) is not None


def valid_request_id(value: str) -> bool:
    """Whether a request id given by a client can be echoed and logged as it is."""
    return _REQUEST_ID.fullmatch(value) is not None


def where(error: BaseException) -> str:
    """What kind of error happened and on which lines, along its causes, without its messages."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 5:
        frames = traceback.extract_tb(seen.__traceback__)[-8:]
        lines = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        parts.append(f"{type(seen).__module__}.{type(seen).__qualname__} at {lines or '(nowhere)'}")
        seen = seen.__cause__ or seen.__context__
    return " | ".join(parts)


def _place_instead_of_message(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = where(error)
    return event


def configure(service: str, level: str = "INFO") -> None:
    """Send our log events and those of the libraries to standard error as JSON lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place_instead_of_message,
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "json": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.JSONRenderer(ensure_ascii=False),
                    ],
                }
            },
            "handlers": {"standard": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["standard"], "level": level},
        }
    )
    for chatty in ("httpx2", "httpcore2", "alembic.runtime.plugins"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *[step for step in shared if not isinstance(step, structlog.stdlib.ExtraAdder)],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
