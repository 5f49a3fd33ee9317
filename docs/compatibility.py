"""Compares what the official Python SDK can call with what the endpoints take, field by field."""

import inspect
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast

from msgspec.inspect import Metadata, StructType, type_info
from stytch import B2BClient

from vestibule.api import groups
from vestibule.api.endpoint import NO_EFFECT, Endpoint

_OPTIONS: Final = {"self", "method_options"}
_CALLS_THE_SERVER: Final = "self.api_base.url_for("


@dataclass(frozen=True)
class Operation:
    """A method of the SDK: its request fields, and those that are taken here without effect."""

    method: str
    fields: tuple[str, ...]
    without_effect: tuple[str, ...]
    known: bool

    @property
    def verdict(self) -> str:
        """`supported`, `partial` (a field has no effect) or `refused` (route_not_found)."""
        if not self.known:
            return "refused"
        return "partial" if self.without_effect else "supported"


def operations() -> list[Operation]:
    """Return every method of the SDK that calls the server, by name.

    Those of `fraud` call a host of their own, whatever the base URL is.
    """
    endpoints = {each.operation_id: each for each in groups.endpoints()}
    return [
        _operation(method, function, endpoints.get(method))
        for method, function in sorted(_methods(_client()))
    ]


def beyond() -> list[Endpoint]:
    """Return Vestibule's own endpoints, which no SDK method calls."""
    return [each for each in groups.endpoints() if each.own]


def _client() -> B2BClient:
    with warnings.catch_warnings():
        # It warns that a test project is for tests; nothing is called here.
        warnings.simplefilter("ignore")
        return B2BClient(project_id="project-test-0", secret="unused")  # noqa: S106 - not a secret


def _methods(api: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for group, part in vars(api).items():
        if ".api." not in type(part).__module__:
            continue
        if part.api_base.base_url != api.api_base.base_url:
            continue
        yield from _methods(part, f"{prefix}{group}.")
        for name, function in inspect.getmembers(type(part), inspect.isfunction):
            asynchronous = inspect.iscoroutinefunction(function)
            if not asynchronous and _CALLS_THE_SERVER in inspect.getsource(function):
                yield f"{prefix}{group}.{name}", function


def _operation(method: str, function: Any, endpoint: Endpoint | None) -> Operation:
    fields = tuple(each for each in inspect.signature(function).parameters if each not in _OPTIONS)
    return Operation(
        method=method,
        fields=fields,
        without_effect=_without_effect(endpoint) if endpoint else (),
        known=endpoint is not None,
    )


def _without_effect(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the fields that are declared `Annotated[..., NO_EFFECT]`."""
    return tuple(
        field.name
        for field in cast("StructType", type_info(endpoint.request)).fields
        if isinstance(field.type, Metadata) and field.type.extra == NO_EFFECT.extra
    )
