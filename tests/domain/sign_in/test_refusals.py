"""What each refusal of a protocol package means for a sign-in and its trace."""

import pytest

from vestibule import errors
from vestibule.domain.sign_in import refusals
from vestibule.oidc.errors import OidcError
from vestibule.oidc.errors import Reason as OidcReason
from vestibule.records import TraceStep
from vestibule.saml.errors import Reason, SamlError, Step
from vestibule.saml.remedies import remedy

ONE_ANSWER = errors.invalid_signature_saml_response


@pytest.mark.parametrize("reason", Reason)
def test_every_saml_reason_has_its_error_side_and_fix(reason: Reason) -> None:
    refusal = refusals.of(SamlError(reason, expected="a", received="b"))
    assert refusal is not None
    assert refusal.error in errors.all_errors()
    assert refusal.error.status < 500
    assert (refusal.reason, refusal.side) == (reason.value, remedy(reason).side)
    assert refusal.steps == (
        TraceStep(
            name=reason.value, expected="a", received="b", passed=False, fix=remedy(reason).fix
        ),
    )


def test_only_the_step_that_failed_says_what_to_do() -> None:
    passed = Step("xml", "a", "b", passed=True)
    refusal = refusals.of(SamlError(Reason.SAML_AUDIENCE, steps=(passed,)))
    assert refusal is not None
    assert [bool(step.fix) for step in refusal.steps] == [False, True]


@pytest.mark.parametrize(
    "reason",
    [each for each in Reason if each.value.partition(".")[0] in {"sig", "enc"}],
)
def test_signatures_and_decryption_fail_with_one_public_answer(reason: Reason) -> None:
    refusal = refusals.of(SamlError(reason))
    assert refusal is not None
    missing = reason is Reason.SIG_MISSING
    assert refusal.error is (errors.missing_signature_saml_response if missing else ONE_ANSWER)


@pytest.mark.parametrize("reason", OidcReason)
def test_every_oidc_reason_has_its_error(reason: OidcReason) -> None:
    refusal = refusals.of(OidcError(reason, expected="a", received="b"))
    assert refusal is not None
    assert refusal.reason == reason.value
    assert refusal.error.status < 500


def test_a_fault_is_no_refusal() -> None:
    assert refusals.of(RuntimeError("broken")) is None
