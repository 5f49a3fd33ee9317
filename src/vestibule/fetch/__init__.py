"""The only way out over HTTP: one client that no tenant can aim at the operator's own network."""

from vestibule.fetch.client import GuardedFetch
from vestibule.fetch.interface import Fetch, FetchError, FetchResponse, Reason, acting_for
from vestibule.fetch.resolver import Resolver

__all__ = [
    "Fetch",
    "FetchError",
    "FetchResponse",
    "GuardedFetch",
    "Reason",
    "Resolver",
    "acting_for",
]
