"""Legal documents: what a class teaches and which plan it follows."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from training.domain.refused import Refused

NUMBER = re.compile(
    r"\b\d{1,6}[A-Za-z]?(?:/(?:19|20)\d\d)?/[^\W\d_]{1,8}[\w&.]{0,12}(?:-[\w&.]{1,16}){0,3}(?!\w)"
)


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


def written_number(text: str) -> str | None:
    """The document's number inside what somebody wrote: "Thông tư số 46/2022/TT-BTC" holds "46/2022/TT-BTC".

    `None` when there is no number in it. Only a number is kept, because it is told in public events.
    """
    compact = re.sub(r"\s*([/-])\s*", r"\1", unicodedata.normalize("NFC", text).strip())
    found = NUMBER.search(compact)
    return found.group() if found else None


def document_key(number: str) -> str:
    """The number without spelling differences: "09/2022/TT-BLĐTB&XH" and "09/2022/tt-blđtbxh" are one."""
    return number.casefold().replace("&", "").replace(".", "")


def year_in_number(number: str) -> int | None:
    """The year of issue inside a normative document's number ("46/2022/TT-BTC"), if it has one.

    Normative documents carry it (Luật Ban hành văn bản quy phạm pháp luật 2015, Điều 10); plans and single decisions do not.
    """
    found = re.match(r"\d+/((?:19|20)\d\d)/", number)
    return int(found.group(1)) if found else None


class Documents:
    """The known legal documents, found by any spelling of their number."""

    def __init__(self, known: Sequence[KnownDocument]) -> None:
        self._by_key = {
            document_key(number): entry.document
            for entry in known
            for number in (entry.document.number, *entry.aliases)
        }

    def number(self, text: str) -> str | None:
        """The number in `text`, spelt as the known document spells it. `None` when it holds no number."""
        number = written_number(text)
        known = self._by_key.get(document_key(number)) if number else None
        return known.number if known else number

    def resolve(self, topic: Topic, field: str) -> Document:
        """The document a topic means: a known one, or a free one that brings its own date.

        Raises `Refused` when a number is neither known nor dated, or its date contradicts it.
        """
        number = self.number(topic.number)
        if number is None:
            raise _malformed(topic.number, field)
        known = self._by_key.get(document_key(number))
        year = year_in_number(number)
        if topic.issued_on is None:
            if known is None:
                raise _unknown(number, field)
            return known
        if known is not None and known.issued_on == topic.issued_on:
            return known
        if year is not None and (known is not None or year != topic.issued_on.year):
            raise _contradicts(number, known, field)
        return Document(number, topic.issued_on, topic.issuer, topic.title)


def _malformed(text: str, field: str) -> Refused:
    return Refused(
        "document-number-malformed",
        f"“{text}” không có số, ký hiệu văn bản như 46/2022/TT-BTC hoặc 216/KH-UBND.",
        f"“{text}” holds no document number such as 46/2022/TT-BTC or 216/KH-UBND.",
        field,
    )


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
