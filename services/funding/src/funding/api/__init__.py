"""HTTP in: eligibility, allocations, credit, and the reference data behind them."""

from fastapi import APIRouter

from funding.api import allocations, credit, eligibility, reference

routers: tuple[APIRouter, ...] = (eligibility.router, allocations.router, credit.router, reference.router)
