"""HTTP in: writes call actions, reads call the store."""

from households.api import (
    accesses,
    areas,
    cohorts,
    duplicates,
    exports,
    households,
    imports,
    members,
    results,
    reviews,
    search,
    verify,
)

ROUTERS = (
    areas.router,
    # Before the households, one of which would else be looked for under the name "search".
    search.router,
    households.router,
    members.router,
    cohorts.router,
    duplicates.router,
    exports.router,
    accesses.router,
    reviews.router,
    results.router,
    imports.router,
    verify.router,
)
