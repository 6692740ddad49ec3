"""HTTP in: writes call actions, reads call the store."""

from households.api import (
    accesses,
    areas,
    cohorts,
    corrections,
    cycles,
    deadlines,
    duplicates,
    exports,
    families,
    households,
    imports,
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
    cycles.router,
    deadlines.router,
    results.router,
    corrections.router,
    imports.router,
    simulations.router,
    simulation_files.router,
    verify.router,
)
