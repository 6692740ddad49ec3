"""HTTP in: eligibility, allocations, and the reference data behind them."""

from fastapi import APIRouter

from funding.api import allocations, eligibility, reference

routers: tuple[APIRouter, ...] = (eligibility.router, allocations.router, reference.router)
