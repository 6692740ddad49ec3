"""What the law fixes, as data: known legal documents and the programme's components, with their sources."""

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from training.domain import Component, Document, Documents, KnownDocument


@cache
def documents() -> Documents:
    """The known legal documents, found by any spelling of their number."""
    return Documents([_document(entry) for entry in _load("documents.json")["documents"]])


@cache
def components() -> Mapping[str, Component]:
    """The components of the programme by code."""
    loaded = _load("components.json")
    return MappingProxyType(
        {
            entry["code"]: Component(
                code=entry["code"],
                programme=loaded["programme"],
                name_vi=entry["name_vi"],
                name_en=entry["name_en"],
                valid_from=date.fromisoformat(loaded["valid_from"]),
                valid_to=date.fromisoformat(loaded["valid_to"]),
                legal=loaded["legal"],
            )
            for entry in loaded["components"]
        }
    )


def _document(entry: Mapping[str, Any]) -> KnownDocument:
    return KnownDocument(
        Document(entry["number"], date.fromisoformat(entry["issued_on"]), entry["issuer"], entry["title"]),
        tuple(entry["aliases"]),
        entry["source"],
    )


def _load(name: str) -> Any:
    return json.loads(files(__name__).joinpath(name).read_text("utf-8"))
