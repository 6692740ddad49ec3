"""All SQL of reporting; the only translator between rows and domain.

`households`, `funding` and `training` write what the streams tell; the other modules answer questions.
"""

from reporting.store.areas import add_area_type, add_reorganisation
from reporting.store.funding import add_budget_lines, add_eligibility
from reporting.store.households import add_facts, add_populations, move_states
from reporting.store.movements import booked
from reporting.store.population import populations, populations_drawn
from reporting.store.situation import (
    ApprovedList,
    ByCommune,
    approved_lists,
    first_with_figures,
    horizon,
    is_drawn,
    official,
    official_and_before,
    official_on,
    official_on_days,
    preliminary,
    sources,
    told_between,
)
from reporting.store.support import (
    NOBODY,
    Eligible,
    Money,
    Training,
    eligibility,
    last_day_of_training,
    last_year_of_money,
    money,
    trainings,
)
from reporting.store.training import add_classes
from reporting.store.verify import (
    classes_from_counts,
    classes_from_facts,
    classes_from_states,
    products_from_counts,
    products_from_states,
)

__all__ = [
    "NOBODY",
    "ApprovedList",
    "ByCommune",
    "Eligible",
    "Money",
    "Training",
    "add_area_type",
    "add_budget_lines",
    "add_classes",
    "add_eligibility",
    "add_facts",
    "add_populations",
    "add_reorganisation",
    "approved_lists",
    "booked",
    "classes_from_counts",
    "classes_from_facts",
    "classes_from_states",
    "eligibility",
    "first_with_figures",
    "horizon",
    "is_drawn",
    "last_day_of_training",
    "last_year_of_money",
    "money",
    "move_states",
    "official",
    "official_and_before",
    "official_on",
    "official_on_days",
    "populations",
    "populations_drawn",
    "preliminary",
    "products_from_counts",
    "products_from_states",
    "sources",
    "told_between",
    "trainings",
]
