"""The list of checks."""

import pytest

from vestibule.oidc.checks import Checks
from vestibule.oidc.errors import OidcError, Reason, Step


def test_passed_checks_are_kept_in_order() -> None:
    checks = Checks()
    checks.passed("first", expected="a", received="a")
    checks.require("second", good=True, reason=Reason.KEY, expected="b", received=None)

    assert checks.steps == (
        Step("first", "a", "a", passed=True),
        Step("second", "b", "absent", passed=True),
    )


def test_the_first_failed_check_ends_the_list() -> None:
    checks = Checks()
    checks.passed("first", expected="a", received="a")
    with pytest.raises(OidcError) as failure:
        checks.require("second", good=False, reason=Reason.KEY, expected="b", received=["c"])

    assert failure.value.reason is Reason.KEY
    assert failure.value.steps == (
        Step("first", "a", "a", passed=True),
        Step("oidc.key", "b", "a list", passed=False),
    )
