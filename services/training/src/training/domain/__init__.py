"""The rules of training: what may be planned, what may be recorded as held.

Nothing here reads a database, a clock or a file: dates, known documents and places are given.
"""

from training.domain.classes import (
    Component,
    Form,
    Level,
    Organiser,
    Place,
    Places,
    Proposal,
    Register,
    State,
    Told,
    TrainingClass,
    Whereabouts,
    complete,
    placed,
    plan_class,
    told_again,
)
from training.domain.counts import Count, Qualifier
from training.domain.documents import (
    Document,
    Documents,
    KnownDocument,
    Topic,
    document_key,
    resolve_topics,
    written_number,
    year_in_number,
)
from training.domain.refused import Refused

__all__ = [
    "Component",
    "Count",
    "Document",
    "Documents",
    "Form",
    "KnownDocument",
    "Level",
    "Organiser",
    "Place",
    "Places",
    "Proposal",
    "Qualifier",
    "Refused",
    "Register",
    "State",
    "Told",
    "Topic",
    "TrainingClass",
    "Whereabouts",
    "complete",
    "document_key",
    "placed",
    "plan_class",
    "resolve_topics",
    "told_again",
    "written_number",
    "year_in_number",
]
