"""HTTP in: what reporting answers under /v1. Every answer concerns an area inside the asker's own."""

from fastapi import APIRouter

from reporting.api import exports, movements, situation, support, verify

router = APIRouter(prefix="/v1")
for part in (situation, movements, support, verify, exports):
    router.include_router(part.router)
