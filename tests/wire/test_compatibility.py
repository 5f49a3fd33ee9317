"""The generated table of compatibility says what the server does."""

import inspect
from operator import attrgetter
from typing import Any

import pytest

from docs import compatibility
from docs.compatibility import Operation
from tests.wire.python_sdk import PythonSdk
from tests.wire.sdk import Sdk
from vestibule.api import groups
from vestibule.api.sso import AuthenticateRequest

OPERATIONS = compatibility.operations()
REFUSED = [each for each in OPERATIONS if not each.known]


def test_table_has_every_endpoint() -> None:
    known = {each.method for each in OPERATIONS if each.known}
    own = {each.operation_id for each in compatibility.beyond()}
    assert known | own == {each.operation_id for each in groups.endpoints()}
    assert len(OPERATIONS) > 100


def test_field_without_effect_makes_an_operation_partial() -> None:
    (found,) = [each for each in OPERATIONS if each.method == "sso.authenticate"]
    assert found.verdict == "partial"
    assert set(found.without_effect) < set(AuthenticateRequest.__struct_fields__)


def test_setting_that_is_only_kept_makes_an_operation_partial() -> None:
    (found,) = [each for each in OPERATIONS if each.method == "organizations.update"]
    assert found.verdict == "partial"
    assert {"email_invites", "allowed_oauth_tenants"} <= set(found.without_effect)


@pytest.mark.parametrize("operation", REFUSED, ids=lambda each: each.method)
def test_refused_operation_is_not_found(operation: Operation, python_sdk: PythonSdk) -> None:
    function = attrgetter(operation.method)(python_sdk.client)
    fields = {
        name: given(parameter)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty
    }
    assert Sdk(python_sdk).refused(operation.method, **fields) == (404, "route_not_found")


def given(parameter: inspect.Parameter) -> Any:
    """Return a value that the SDK sends as it is."""
    return {"str": "x", "int": 1, "bool": True}.get(getattr(parameter.annotation, "__name__", ""))
