"""Services as values, without servers."""

import dataclasses
import importlib
from typing import Any

from benvung.service import Service
from benvung.settings import ServiceSettings

SERVICES = ("households", "funding", "training", "reporting")


def built(name: str, **other: Any) -> Service:
    """A service with settings that lead nowhere; keywords replace its parts."""
    kind: type[ServiceSettings] = importlib.import_module(f"{name}.settings").Settings
    service: Service = importlib.import_module(f"{name}.main").build(kind(database_url="postgresql://"))
    return dataclasses.replace(service, **other)
