"""HTTP in: writes call actions, reads call the store."""

from households.api import (
    accesses,
    areas,
    cohorts,
    corrections,
    duplicates,
    exports,
    families,
    households,
    imports,
    members,
    reorganisations,
    results,
    reviews,
    search,
    simulation_files,
    simulations,
    verify,
    waiting,
)

ROUTERS = (
    areas.router,
    reorganisations.router,
    waiting.router,
    # Before the households, one of which would else be looked for under the name "search".
    search.router,
    households.router,
    families.router,
    members.router,
    cohorts.router,
    duplicates.router,
    exports.router,
    accesses.router,
    reviews.router,
    results.router,
    corrections.router,
    imports.router,
    simulations.router,
    simulation_files.router,
    verify.router,
)
