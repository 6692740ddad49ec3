"""The figures Prometheus asks for. Parts of the kit and services add their own to `REGISTRY`."""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

REQUESTS = Counter(
    "http_requests",
    "HTTP requests answered, by route template and status",
    ("service", "method", "route", "status"),
    registry=REGISTRY,
)
LATENCY = Histogram(
    "http_request_seconds",
    "Seconds from a request's arrival to the first byte of its answer",
    ("service", "method", "route"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)


def render() -> tuple[bytes, str]:
    """All figures in Prometheus' text form, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
