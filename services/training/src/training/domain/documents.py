"""Legal documents: what a class teaches and which plan it follows."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from training.domain.refused import Refused


@dataclass(frozen=True)
class Document:
    """A legal document that a class teaches or follows. `issued_on` tells equal numbers apart."""

    number: str
    issued_on: date
    issuer: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class KnownDocument:
    """A document of the data file, with the other ways people write its number."""

    document: Document
    aliases: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class Topic:
    """What the planner wrote about one topic: a number, and the date when the number is not known."""

    number: str
    issued_on: date | None = None
    issuer: str | None = None
    title: str | None = None


def document_key(number: str) -> str:
    """The number without the spelling differences people leave in it.

    "Thông tư 09/2022/TT-BLĐTB&XH", "09/2022/TT-BLĐTBXH" and lower case are one key.
    """
    plain = unicodedata.normalize("NFC", number).casefold()
    tail = re.search(r"\d+\s*/.*", plain)
    return re.sub(r"[\s&.]", "", tail.group() if tail else plain)


def year_in_number(number: str) -> int | None:
    """The year of issue inside a normative document's number ("46/2022/TT-BTC"), if it has one.

    Normative documents carry it (Luật Ban hành văn bản quy phạm pháp luật 2015, Điều 10); plans and single decisions do not.
    """
    found = re.match(r"\d+/((?:19|20)\d\d)/", document_key(number))
    return int(found.group(1)) if found else None


class Documents:
    """The known legal documents, found by any spelling of their number."""

    def __init__(self, known: Sequence[KnownDocument]) -> None:
        self._by_key = {
            document_key(number): entry.document
            for entry in known
            for number in (entry.document.number, *entry.aliases)
        }

    def resolve(self, topic: Topic, field: str) -> Document:
        """The document a topic means: a known one, or a free one that brings its own date.

        Raises `Refused` when a number is neither known nor dated, or its date contradicts it.
        """
        known = self._by_key.get(document_key(topic.number))
        year = year_in_number(topic.number)
        if topic.issued_on is None:
            if known is None:
                raise _unknown(topic.number, field)
            return known
        if known is not None and known.issued_on == topic.issued_on:
            return known
        if year is not None and (known is not None or year != topic.issued_on.year):
            raise _contradicts(topic.number, known, field)
        return Document(topic.number, topic.issued_on, topic.issuer, topic.title)


def _unknown(number: str, field: str) -> Refused:
    return Refused(
        "document-unknown",
        f"Không có văn bản số {number} trong danh mục; hãy ghi thêm ngày ban hành.",
        f"Document {number} is not in the list; give its date of issue as well.",
        field,
    )


def _contradicts(number: str, known: Document | None, field: str) -> Refused:
    vi = f"Ngày ban hành không khớp với số văn bản {number}"
    en = f"The date of issue does not fit the document number {number}"
    if known is not None:
        vi += f" (ban hành ngày {known.issued_on:%d/%m/%Y})"
        en += f" (issued on {known.issued_on})"
    return Refused(
        "document-date-contradicts",
        f"{vi}.",
        f"{en}.",
        field,
        "Luật Ban hành văn bản quy phạm pháp luật 2015, Điều 10",
    )


def resolve_topics(topics: Collection[Topic], documents: Documents) -> tuple[Document, ...]:
    """The documents a class teaches, each once and at least one. Raises `Refused`."""
    resolved: list[Document] = []
    for position, topic in enumerate(topics):
        field = f"topics.{position}.number"
        document = documents.resolve(topic, field)
        if any(_same(document, earlier) for earlier in resolved):
            raise Refused(
                "topic-repeated",
                f"Văn bản {document.number} được ghi hai lần.",
                f"Document {document.number} is given twice.",
                field,
            )
        resolved.append(document)
    if not resolved:
        raise Refused(
            "topic-missing",
            "Lớp tập huấn phải có ít nhất một chuyên đề.",
            "A class has at least one topic.",
            "topics",
        )
    return tuple(resolved)


def _same(one: Document, other: Document) -> bool:
    return (document_key(one.number), one.issued_on) == (document_key(other.number), other.issued_on)
