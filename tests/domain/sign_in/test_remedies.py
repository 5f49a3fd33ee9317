import pytest

from vestibule import errors
from vestibule.domain.sign_in import refusals
from vestibule.domain.sign_in.remedies import FIXES
from vestibule.errors import ErrorType, Failure


@pytest.mark.parametrize("error", FIXES, ids=lambda error: error.name)
def test_a_fix_is_a_sentence(error: ErrorType) -> None:
    fix = FIXES[error]
    assert fix[0].isupper()
    assert fix.endswith(".")
    assert fix.isascii()


def test_every_refusal_of_our_own_says_what_to_do() -> None:
    without = set(refusals._FAILURE_SIDES) - {error.name for error in FIXES}
    assert without == {
        "session_not_found",
        "invalid_session_token",
        "unable_to_parse_session_jwt",
        "jwt_invalid_issuer",
        "jwt_invalid_audience",
        "jwt_invalid_claims",
        "custom_claims_too_large",
        "intermediate_session_not_found",
        "invalid_intermediate_session_token_for_organization",
    }


def test_the_step_that_failed_carries_it() -> None:
    refusal = refusals.of(Failure(errors.invalid_connection_for_jit_provisioning))
    assert refusal is not None
    (step,) = refusal.steps
    assert "sso_jit_provisioning" in step.fix
