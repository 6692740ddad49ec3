"""Walks the chain and names the first row that was changed, removed, put in or moved, whoever did it.

Three looks: along the seals in their order, each with its row; at rows without a seal that do not wait for
one, and the reverse; and at anchors noted outside. Memory is bounded and nothing is locked: it may run
beside everything else.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import psycopg

from benvung.audit import chain
from benvung.audit.chain import Anchor, Keys, KeyUnknown

BATCH = 5000
Progress = Callable[[int, int], None]

_LINKS = f"""
select s.number, s.audit_id, extract(epoch from s.sealed_at)::text, s.key, s.seal, {chain.COLUMNS}
from (select * from audit_seals where %(after)s::bigint is null or number > %(after)s
      order by number limit {BATCH}) s
left join lateral (select * from audit where id = s.audit_id offset 0) a on true
order by s.number
"""
_UNSEALED = """
select min(a.id) from audit a where not exists (select from audit_seals s where s.audit_id = a.id)
and not exists (select from audit_pending p where p.audit_id = a.id)
"""
_VANISHED = """
select min(p.audit_id) from audit_pending p where not exists (select from audit a where a.id = p.audit_id)
"""
_SEAL_AT = "select encode(seal, 'hex') from audit_seals where number = %s"


class Fault(StrEnum):
    """What is wrong at a place."""

    CHANGED = "CHANGED"
    REMOVED = "REMOVED"
    MOVED = "MOVED"
    INSERTED = "INSERTED"
    REMOVED_UNSEALED = "REMOVED_UNSEALED"
    SEAL_REMOVED = "SEAL_REMOVED"
    SEAL_INSERTED = "SEAL_INSERTED"
    KEYLESS = "KEYLESS"
    KEY_UNKNOWN = "KEY_UNKNOWN"
    ANCHOR_DIFFERS = "ANCHOR_DIFFERS"
    ANCHOR_MISSING = "ANCHOR_MISSING"


_WORDS = {
    Fault.CHANGED: (
        "Dòng {row} (niêm phong số {number}) không còn như lúc được niêm phong.",
        "Row {row} (seal {number}) is not as it was when it was sealed.",
    ),
    Fault.REMOVED: (
        "Dòng {row} (niêm phong số {number}) đã bị xóa.",
        "Row {row} (seal {number}) was removed.",
    ),
    Fault.MOVED: (
        "Dòng {row} (niêm phong số {number}) đã bị đổi chỗ với dòng khác.",
        "Row {row} (seal {number}) has changed places with another.",
    ),
    Fault.INSERTED: (
        "Dòng {row} không có niêm phong và không chờ niêm phong: dòng được chèn thêm, hoặc niêm phong bị xóa.",
        "Row {row} has no seal and waits for none: it was put in, or its seal was removed.",
    ),
    Fault.REMOVED_UNSEALED: (
        "Dòng {row} đã bị xóa trước khi được niêm phong.",
        "Row {row} was removed before it was sealed.",
    ),
    Fault.SEAL_REMOVED: ("Niêm phong số {number} đã bị xóa.", "Seal {number} was removed."),
    Fault.SEAL_INSERTED: ("Niêm phong số {number} được chèn thêm.", "Seal {number} was put in."),
    Fault.KEYLESS: (
        "Niêm phong số {number} (dòng {row}) không dùng khóa, trong khi trước đó đã dùng.",
        "Seal {number} (row {row}) was made without a key, after others were made with one.",
    ),
    Fault.KEY_UNKNOWN: (
        "Niêm phong số {number} dùng khóa {more} không có trong AUDIT_KEY: không kiểm tra tiếp được.",
        "Seal {number} was made with key {more}, which AUDIT_KEY does not name: no way to check further.",
    ),
    Fault.ANCHOR_DIFFERS: (
        "Niêm phong số {number} khác với mốc đã ghi: chuỗi đã được viết lại.",
        "Seal {number} is not the one noted as an anchor: the chain was written anew.",
    ),
    Fault.ANCHOR_MISSING: (
        "Không có niêm phong số {number} của mốc đã ghi: phần cuối của chuỗi đã bị cắt.",
        "There is no seal {number}, which was noted as an anchor: the end of the chain was cut off.",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where the audit is not what was sealed: number of the seal, id of the row."""

    fault: Fault
    number: int | None = None
    row: int | None = None
    more: str = ""

    def words(self) -> tuple[str, str]:
        """What is wrong, in Vietnamese and in English."""
        vi, en = _WORDS[self.fault]
        filled = {"number": self.number, "row": self.row, "more": self.more}
        return vi.format(**filled), en.format(**filled)


@dataclass(slots=True)
class Report:
    """What a check found: seals that hold, how many of them without a key, the newest of them, the faults."""

    checked: int = 0
    keyless: int = 0
    newest: Anchor | None = None
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Link:
    number: int
    audit_id: int
    sealed_at: str
    key: str | None
    seal: bytes
    row: chain.Row

    @property
    def gone(self) -> bool:
        return self.row[0] is None


def check(
    conn: "psycopg.Connection[Any]", keys: Keys, anchors: Sequence[Anchor], progress: Progress
) -> Report:
    """Look at everything. `conn` commits each statement by itself; `progress` is told seals done and in all."""
    report = Report()
    found = conn.execute("select max(number) from audit_seals").fetchone()
    total = int(found[0] or 0) if found else 0
    walk = _Walk(keys, report)
    for batch in _batches(conn):
        if finding := walk.along(batch):
            report.findings.append(finding)
            break
        progress(report.checked, max(total, report.checked))
    report.findings += [
        *_first(conn, _UNSEALED, Fault.INSERTED),
        *_first(conn, _VANISHED, Fault.REMOVED_UNSEALED),
        *(finding for anchor in anchors if (finding := _differs(conn, anchor))),
    ]
    return report


def _batches(conn: "psycopg.Connection[Any]") -> Iterator[list[_Link]]:
    after: int | None = None
    while rows := conn.execute(_LINKS, {"after": after}).fetchall():
        yield [_Link(number, of, at, key, seal, tuple(row)) for number, of, at, key, seal, *row in rows]
        after = rows[-1][0]


def _first(conn: "psycopg.Connection[Any]", query: str, fault: Fault) -> Iterator[Finding]:
    found = conn.execute(query).fetchone()
    if found and found[0] is not None:
        yield Finding(fault, row=found[0])


def _differs(conn: "psycopg.Connection[Any]", anchor: Anchor) -> Finding | None:
    found = conn.execute(_SEAL_AT, (anchor.number,)).fetchone()
    if found is None:
        return Finding(Fault.ANCHOR_MISSING, anchor.number)
    return None if found[0] == anchor.seal else Finding(Fault.ANCHOR_DIFFERS, anchor.number)


@dataclass(slots=True)
class _Walk:
    keys: Keys
    report: Report
    number: int = 0
    seal: bytes = chain.FIRST
    keyed: bool = False

    def along(self, batch: Sequence[_Link]) -> Finding | None:
        """The first fault among these links, which follow the ones before."""
        for link in batch:
            if finding := self._step(link, batch):
                return finding
        return None

    def _step(self, link: _Link, batch: Sequence[_Link]) -> Finding | None:
        expected = self.number + 1
        if link.number != expected:
            fault = Fault.SEAL_REMOVED if link.number > expected else Fault.SEAL_INSERTED
            return Finding(fault, min(expected, link.number))
        if link.gone:
            return Finding(Fault.REMOVED, link.number, link.audit_id)
        if link.key is None and self.keyed:
            return Finding(Fault.KEYLESS, link.number, link.audit_id)
        try:
            key = self.keys.key(link.key)
        except KeyUnknown as error:
            return Finding(Fault.KEY_UNKNOWN, link.number, link.audit_id, str(error))
        if chain.seal(self.seal, link.number, link.sealed_at, link.row, key) != link.seal:
            fault = Fault.MOVED if self._moved(link, batch, key) else Fault.CHANGED
            return Finding(fault, link.number, link.audit_id)
        self._accept(link)
        return None

    def _accept(self, link: _Link) -> None:
        self.number, self.seal = link.number, link.seal
        self.keyed = self.keyed or link.key is not None
        self.report.checked += 1
        self.report.keyless += link.key is None
        self.report.newest = Anchor(link.number, link.seal.hex())

    def _moved(self, link: _Link, batch: Sequence[_Link], key: bytes | None) -> bool:
        """Whether what belongs here stands elsewhere in the batch: the row, its contents, or its seal."""

        def fits(sealed_at: str, row: chain.Row, seal: bytes) -> bool:
            return chain.seal(self.seal, link.number, sealed_at, row, key) == seal

        return any(
            fits(link.sealed_at, other.row, link.seal)
            or fits(link.sealed_at, (link.audit_id, *other.row[1:]), link.seal)
            or fits(other.sealed_at, other.row, other.seal)
            for other in batch
            if other is not link and not other.gone
        )
