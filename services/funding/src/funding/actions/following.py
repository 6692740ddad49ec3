"""Following what the register decides: newest states, newest answers, and what the world must hear of it."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from benvung import clock
from benvung.outbox import Announcement
from funding import domain
from funding.domain import Answer, HouseholdStatus, Product, Standing
from funding.events import EligibilityChanged, PreviousAnswer
from funding.store import projection
from funding.store.projection import Answers, Households, Kept, State


class Change(NamedTuple):
    """One event of the register, what it entitles the household to, and the row of its fact; made by `change`.

    No fact: a preliminary result, which opens nothing, or an annulment. `replaces` is the sequence of a fact
    that is not answered from any more.
    """

    event_id: str
    state: State
    answers: Sequence[Answer]
    fact: projection.Fact | None
    replaces: int | None


def change(event_id: str, state: State, then: State | None, replaces: int | None = None) -> Change:
    """What follows from one event: `state` is that of today, `then` what its fact left behind, if it has one."""
    fact = None if then is None else projection.fact(then)
    return Change(event_id, state, domain.answers(state.standing), fact, replaces)


async def follow(conn: AsyncConnection, changes: Iterable[Change]) -> Iterable[Announcement]:
    """Bring states and answers up to these events and return what the world must hear of it.

    Indifferent to order, repetition and batches: the newest state wins, an answer's row exists once any
    event opened the product, and only a real difference is announced.
    """
    ordered = sorted(changes, key=_sequence)
    ids = sorted({each.state.household_id for each in ordered})
    batch = _Batch(*await projection.known(conn, ids))
    for each in ordered:
        batch.apply(each)
    # A stable sort: a household's facts stay in the order of their sequences.
    by_household = sorted(ordered, key=_household)
    facts = [each.fact for each in by_household if each.fact is not None]
    replaced = [
        (each.state.household_id, each.replaces) for each in by_household if each.replaces is not None
    ]
    await projection.save(conn, batch.moved(), batch.changed(), facts)
    await projection.answer_no_more_from(conn, replaced)
    return (Announcement(cause, _event(new, old)) for cause, new, old in batch.told)


async def reconcile(conn: AsyncConnection, live: str) -> list[Announcement]:
    """Join answers made anew to those the world was told, in schema `live`; announce what differs.

    Revisions go on where the told ones stand. An answer that was told and is not made anew any more becomes
    a refusal: the register no longer knows what it rested on.
    """
    cause = str(uuid4())
    kept: list[Kept] = []
    announcements: list[Announcement] = []
    for told, made in await projection.differing(conn, live):
        new = made or await _refused(conn, told)
        listened_to = new.answer.eligible or (told is not None and told.answer.eligible)
        if listened_to and domain.is_public(new.answer.product):
            new = new._replace(revision=(told.revision if told else 0) + 1)
            announcements.append(Announcement(cause, _event(new, told)))
        else:
            new = new._replace(revision=told.revision if told else 0)
        kept.append(new)
    await projection.continue_revisions(conn, live)
    await projection.save_answers(conn, kept)
    return announcements


async def _refused(conn: AsyncConnection, told: Kept | None) -> Kept:
    assert told is not None  # of two answers that differ one is there
    today = clock.today()
    unknown = Standing(HouseholdStatus.CLOSED, None, today, None, today)
    standing = await projection.standing(conn, told.household_id) or unknown
    answers = {answer.product: answer for answer in domain.answers(standing)}
    return told._replace(answer=answers[told.answer.product], limit_dong=None, rate_percent=None)


_sequence = attrgetter("state.sequence")
_household = attrgetter("state.household_id")


class _Batch:
    """What is known of the households of a batch, moved event by event."""

    def __init__(self, states: Households, answers: Answers) -> None:
        self._states, self._answers = states, answers
        self._moved: set[str] = set()
        self._changed: set[tuple[str, Product]] = set()
        self.told: list[tuple[str, Kept, Kept | None]] = []

    def apply(self, change: Change) -> None:
        """Follow one event, in the order of sequences."""
        household = change.state.household_id
        newest = self._states.get(household)
        if newest is not None and change.state.sequence <= newest.sequence:
            self._remember(newest, change.answers)
            return
        self._states[household] = change.state
        self._moved.add(household)
        known = self._answers.get(household, {})
        for answer in change.answers:
            old = known.get(answer.product)
            if answer.eligible or old is not None:
                self._answer(change, answer, old)

    def moved(self) -> list[State]:
        """The states to write, in id order."""
        return [self._states[household] for household in sorted(self._moved)]

    def changed(self) -> list[Kept]:
        """The answers to write, in id order."""
        return [self._answers[household][product] for household, product in sorted(self._changed)]

    def _answer(self, change: Change, answer: Answer, old: Kept | None) -> None:
        state = change.state
        if old is not None and _same(old, state, answer):
            return
        revision = 0 if old is None else old.revision
        if _concerns_the_world(old, state, answer):
            new = _kept(state, answer, revision + 1)
            self.told.append((change.event_id, new, old))
        else:
            new = _kept(state, answer, revision)
        self._keep(new)

    def _remember(self, newest: State, late: Sequence[Answer]) -> None:
        """A late event opened a product that was never kept: its row tells today's answer."""
        opened = next((answer for answer in late if answer.eligible), None)
        if opened is None or opened.product in self._answers.get(newest.household_id, {}):
            return
        for answer in domain.answers(newest.standing):
            if answer.product is opened.product:
                self._keep(_kept(newest, answer, 0))

    def _keep(self, kept: Kept) -> None:
        self._answers.setdefault(kept.household_id, {})[kept.answer.product] = kept
        self._changed.add((kept.household_id, kept.answer.product))


def _kept(state: State, answer: Answer, revision: int) -> Kept:
    return Kept(
        state.household_id,
        answer,
        *projection.terms(answer),
        state.province,
        state.commune,
        state.standing.poverty_class,
        state.sequence,
        revision,
    )


def _same(old: Kept, state: State, answer: Answer) -> bool:
    return (
        old.answer == answer
        and old.commune == state.commune
        and old.province == state.province
        and old.poverty_class is state.standing.poverty_class
        and old.rule_version == domain.rule_version()
    )


def _concerns_the_world(old: Kept | None, state: State, answer: Answer) -> bool:
    if old is None or not domain.is_public(answer.product):
        return domain.is_public(answer.product)
    before = old.answer
    differs = (before.status, before.valid_from, before.valid_to, old.commune) != (
        answer.status,
        answer.valid_from,
        answer.valid_to,
        state.commune,
    )
    return differs and (before.eligible or answer.eligible)


def _event(new: Kept, old: Kept | None) -> EligibilityChanged:
    return EligibilityChanged(
        province=new.province,
        commune=new.commune,
        revision=new.revision,
        household_id=UUID(new.household_id),
        product=new.answer.product.value,
        status=new.answer.status.value,
        valid_from=new.answer.valid_from,
        valid_to=new.answer.valid_to,
        reason=domain.public_reason(new.answer.reason.value),
        article=new.article,
        rule_version=new.rule_version,
        poverty_class=new.poverty_class.value if new.poverty_class else None,
        source_sequence=new.sequence,
        previous=_previous(old) if old else None,
    )


def _previous(old: Kept) -> PreviousAnswer:
    return PreviousAnswer(
        status=old.answer.status.value,
        commune=old.commune,
        valid_from=old.answer.valid_from,
        valid_to=old.answer.valid_to,
    )
