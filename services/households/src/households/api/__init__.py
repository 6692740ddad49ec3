"""HTTP in: writes call actions, reads call the store."""

from households.api import (
    accesses,
    areas,
    corrections,
    exports,
    families,
    households,
    imports,
    results,
    reviews,
    simulation_files,
    simulations,
    verify,
)

ROUTERS = (
    areas.router,
    households.router,
    families.router,
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
