"""The same counts by different ways, side by side, and every difference named."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from reporting import domain, store
from reporting.actions.places import Place
from reporting.domain import Count, HouseholdClass, Product

Classes = Mapping[str, Mapping[str, Count]]
Products = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two ways of counting that disagree about one class (or product) of one commune."""

    commune: str
    subject: str
    ways: tuple[str, str]
    households: int
    persons: int | None


@dataclass(frozen=True, slots=True)
class Verified:
    """Counts by commune from states, from facts and from the counts that reports read."""

    place: Place
    on: date
    states: Classes
    facts: Classes
    counts: Classes
    products: Products
    differences: tuple[Difference, ...]


async def verify(conn: AsyncConnection, place: Place) -> Verified:
    """Count the area's households by class in three ways, and its eligible households in two."""
    codes = place.codes
    states = await store.classes_from_states(conn, codes)
    facts = await store.classes_from_facts(conn, codes)
    counts = await store.classes_from_counts(conn, codes)
    products = await store.products_from_states(conn, codes, place.on)
    counted = await store.products_from_counts(conn, codes, place.on)
    place = place.listed({*states, *facts, *counts, *products, *counted})
    codes = place.codes
    states, facts, counts = (_whole(codes, found) for found in (states, facts, counts))
    products, counted = (_eligible(codes, found) for found in (products, counted))
    differences = [
        *_unequal(states, facts, ("states", "facts")),
        *_unequal(facts, counts, ("facts", "counts")),
        *(
            Difference(code, product, ("states", "counts"), counted[code][product] - number, None)
            for code in codes
            for product, number in products[code].items()
            if counted[code][product] != number
        ),
    ]
    return Verified(place, place.on, states, facts, counts, products, tuple(differences))


def _whole(codes: list[str], found: Classes) -> dict[str, dict[str, Count]]:
    return {code: domain.added([found.get(code, {})]) for code in codes}


def _eligible(codes: list[str], found: Products) -> dict[str, dict[str, int]]:
    return {code: {str(one): found.get(code, {}).get(one, 0) for one in Product} for code in codes}


def _unequal(one: Classes, other: Classes, ways: tuple[str, str]) -> list[Difference]:
    found = []
    for code, classes in one.items():
        for cls in HouseholdClass:
            off = other[code][cls] - classes[cls]
            if off != Count():
                found.append(Difference(code, str(cls), ways, off.households, off.persons))
    return found
