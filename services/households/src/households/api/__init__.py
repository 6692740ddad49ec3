"""HTTP in: writes call actions, reads call the store."""

from households.api import areas, households, imports, results, reviews, verify

ROUTERS = (
    areas.router,
    households.router,
    reviews.router,
    results.router,
    imports.router,
    verify.router,
)
