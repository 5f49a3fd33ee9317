from typing import Any

import pytest
from msgspec.structs import replace

from vestibule.domain.factors import (
    capped,
    connection_of,
    method_of,
    proven_address,
    with_factor,
)
from vestibule.records import Factor


def factor(at: int, *, kind: str = "sso", **details: Any) -> Factor:
    return Factor(
        type=kind,
        delivery_method="x",
        details_name="x",
        details=details,
        last_authenticated_at=at,
        created_at=at,
        updated_at=at,
    )


def test_a_new_factor_comes_last() -> None:
    first, second = factor(1, provider_id="c-1"), factor(2, provider_id="c-2")
    assert with_factor((), first) == (first,)
    assert with_factor((first,), second) == (first, second)


def test_a_factor_of_the_same_connection_is_proven_again() -> None:
    old, other = factor(1, provider_id="c-1"), factor(2, provider_id="c-2")
    (kept, again) = with_factor((old, other), factor(3, provider_id="c-1", external_id="new"))
    assert kept == other
    assert (again.created_at, again.last_authenticated_at, again.updated_at) == (1, 3, 3)
    assert again.details["external_id"] == "new"


def test_a_factor_of_the_same_phone_is_proven_again() -> None:
    first, other = factor(1, kind="otp", phone_id="p-1"), factor(2, kind="otp", phone_id="p-2")
    kept, again = with_factor((first, other), factor(3, kind="otp", phone_id="p-1"))
    assert kept == other
    assert (again.created_at, again.last_authenticated_at) == (1, 3)


def test_factors_without_a_connection_are_not_the_same() -> None:
    sms, totp = factor(1, kind="otp"), factor(2, kind="totp")
    assert with_factor((sms,), totp) == (sms, totp)
    sso = factor(3, provider_id="c-1")
    assert with_factor((sms, totp), sso) == (sms, totp, sso)


@pytest.mark.parametrize(
    ("kind", "delivery_method", "method"),
    [
        ("sso", "sso_saml", "sso"),
        ("sso", "sso_oidc", "sso"),
        ("magic_link", "email", "magic_link"),
        ("email_otp", "email", "email_otp"),
        ("otp", "email", "email_otp"),
        ("password", "knowledge", "password"),
        ("otp", "sms", ""),
        ("totp", "authenticator_app", ""),
        ("sso", "x", ""),
    ],
)
def test_a_primary_factor_is_of_a_method(kind: str, delivery_method: str, method: str) -> None:
    assert method_of(replace(factor(1, kind=kind), delivery_method=delivery_method)) == method


def test_an_sso_factor_is_of_a_connection() -> None:
    assert connection_of(factor(1, provider_id="c-1")) == "c-1"
    assert connection_of(factor(1, kind="otp", phone_id="p-1")) == ""


@pytest.mark.parametrize(
    ("kind", "delivery_method", "address"),
    [
        ("magic_link", "email", "ada@acme.test"),
        ("email_otp", "email", "ada@acme.test"),
        ("otp", "email", "ada@acme.test"),
        ("otp", "sms", ""),
        ("sso", "sso_saml", ""),
        ("password", "knowledge", ""),
        ("impersonated", "impersonation", ""),
    ],
)
def test_only_mail_that_arrived_proves_an_address(
    kind: str, delivery_method: str, address: str
) -> None:
    made = factor(1, kind=kind, email_address="ada@acme.test")
    asserted = replace(made, delivery_method=delivery_method, email_address="ada@acme.test")
    assert proven_address(asserted) == address


def test_the_first_factor_that_ends_caps_a_session() -> None:
    ending = [replace(factor(1), ends_at=end) for end in (0, 30, 20)]
    assert [capped(moment, ending) for moment in (10, 20, 25)] == [10, 20, 20]
    assert capped(99, ending[:1]) == 99
    assert capped(99, ()) == 99
