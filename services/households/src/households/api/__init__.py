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
    lists,
    matching,
    members,
    results,
    reviews,
    search,
    simulation_files,
    simulations,
    verify,
)

ROUTERS = (
    areas.router,
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
    lists.router,
    matching.router,
    simulations.router,
    simulation_files.router,
    verify.router,
)
