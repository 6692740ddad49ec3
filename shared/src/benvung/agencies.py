"""Authorities outside that read our streams, as the file named by AGENCIES_FILE lists them.

Each gets a durable of its own, made by the stream's owner; what reaches it is what it is given here, and
its account in the server's configuration lets it do nothing but take that.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]


class Agency(BaseModel):
    """One authority: its names for people, and the subjects it is given of each stream."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name_vi: str
    name_en: str
    streams: Mapping[str, tuple[str, ...]]


class BadAgencies(ValueError):
    """The file cannot be followed; the message says why."""


_FILE = TypeAdapter(dict[Name, Agency])


def read(path: Path) -> dict[str, Agency]:
    """The agencies of a file by name. Raises `BadAgencies`."""
    try:
        agencies = _FILE.validate_python(tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise BadAgencies(f"{path}: {error}") from error
    for name, agency in agencies.items():
        for stream, subjects in agency.streams.items():
            # This also keeps restricted streams from everybody: their names and subjects never match.
            foreign = [each for each in subjects if each.partition(".")[0].upper() != stream]
            if foreign or not subjects:
                raise BadAgencies(
                    f"{path}: {name} is given {foreign} of stream {stream}, which holds none of it"
                )
    return agencies


def of(path: Path | None, stream: str) -> dict[str, Sequence[str]]:
    """What each agency is given of one stream. Raises `BadAgencies`."""
    found = read(path) if path else {}
    return {name: agency.streams[stream] for name, agency in found.items() if stream in agency.streams}
