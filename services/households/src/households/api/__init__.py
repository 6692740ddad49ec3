"""HTTP in: writes call actions, reads call the store."""

from households.api import accesses, areas, exports, households, imports, results, reviews, verify

ROUTERS = (
    areas.router,
    households.router,
    exports.router,
    accesses.router,
    reviews.router,
    results.router,
    imports.router,
    verify.router,
)
