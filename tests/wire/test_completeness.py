"""Nothing of the API is left out of the wire tests: every endpoint, and every field of it."""

import importlib
from pathlib import Path

import pytest

from tests.wire import signatures
from tests.wire.python_sdk import PythonSdk
from vestibule.api import groups
from vestibule.api.endpoint import Endpoint
from vestibule.permissions import Permission

HERE = Path(__file__).parent


def driven() -> set[str]:
    """Return the methods that a test claims to call with every field; the `sdk` fixture sees it."""
    modules = [
        importlib.import_module(f"tests.wire.{each.stem}") for each in HERE.glob("test_*.py")
    ]
    return {
        method
        for module in modules
        for name, test in vars(module).items()
        if name.startswith("test_")
        for mark in getattr(test, "pytestmark", [])
        if mark.name == "drives"
        for method in mark.args
    }


def of_the_sdks() -> list[Endpoint]:
    return [endpoint for endpoint in groups.endpoints() if not endpoint.own]


def test_every_endpoint_is_driven() -> None:
    assert {endpoint.operation_id for endpoint in groups.endpoints()} == driven()


def test_every_field_of_the_sdks_is_a_field_of_the_endpoint(python_sdk: PythonSdk) -> None:
    for endpoint in of_the_sdks():
        known = frozenset(endpoint.request.__struct_fields__)
        method = endpoint.operation_id
        python = signatures.python_parameters(python_sdk.client, method)
        assert (method, known) == (method, python)
        assert (method, known) == (method, signatures.node_parameters(method))


def test_our_own_endpoints_are_of_no_sdk(python_sdk: PythonSdk) -> None:
    for endpoint in groups.endpoints():
        if endpoint.own:
            with pytest.raises(AttributeError):
                signatures.python_parameters(python_sdk.client, endpoint.operation_id)


def test_both_sdks_agree_on_who_may_be_called_for_a_member(python_sdk: PythonSdk) -> None:
    methods = {endpoint.operation_id for endpoint in of_the_sdks()}
    python = {each for each in methods if signatures.python_takes_member(python_sdk.client, each)}
    assert {each for each in methods if signatures.node_takes_member(each)} == python
    ours = {each.operation_id for each in groups.endpoints() if isinstance(each.access, Permission)}
    assert ours & methods == python
