import pytest

from vestibule import errors
from vestibule.domain.sign_in import refusals
from vestibule.domain.sign_in.refusals import Refusal
from vestibule.errors import ErrorType, Failure
from vestibule.oidc.errors import OidcError
from vestibule.oidc.errors import Reason as OidcReason
from vestibule.oidc.remedies import remedy as oidc_remedy
from vestibule.saml.errors import Reason as SamlReason
from vestibule.saml.errors import SamlError, Step
from vestibule.saml.remedies import remedy
from vestibule.store.interface import Conflict, StoreUnavailable

SIDES = {"identity_provider", "vestibule", "application", "user"}


def of(error: Exception) -> Refusal:
    refusal = refusals.of(error)
    assert refusal is not None
    return refusal


@pytest.mark.parametrize("reason", list(SamlReason))
def test_every_reason_of_saml_has_an_error_and_a_side(reason: SamlReason) -> None:
    refusal = of(SamlError(reason, expected="a", received="b"))
    assert refusal.reason == reason.value
    assert refusal.error.status in {400, 413}
    assert refusal.side in SIDES
    assert refusal.message == ""
    (step,) = refusal.steps
    assert (step.name, step.expected, step.received, step.passed) == (reason.value, "a", "b", False)


@pytest.mark.parametrize("reason", list(SamlReason))
def test_the_step_of_saml_that_failed_says_who_ends_it_and_how(reason: SamlReason) -> None:
    passed = Step("xml", "a", "b", passed=True)
    refusal = of(SamlError(reason, steps=(passed,)))
    assert refusal.side == remedy(reason).side
    assert [step.fix for step in refusal.steps] == ["", remedy(reason).fix]


@pytest.mark.parametrize("reason", list(OidcReason))
def test_every_reason_of_oidc_has_an_error_and_a_side(reason: OidcReason) -> None:
    refusal = of(OidcError(reason, expected="a", received="b"))
    assert refusal.reason == reason.value
    assert refusal.error.status == 400
    assert refusal.side == oidc_remedy(reason).side
    assert refusal.steps[-1].received == "b"
    assert refusal.steps[-1].fix == oidc_remedy(reason).fix


def test_every_signature_and_decryption_failure_looks_the_same() -> None:
    """What differs would be an oracle; that nothing is signed at all anybody can see."""
    families = ("sig", "enc", "key", "certificate")
    found = {
        of(SamlError(reason)).error
        for reason in SamlReason
        if reason.value.split(".")[0] in families and reason is not SamlReason.SIG_MISSING
    }
    assert found == {errors.invalid_signature_saml_response}


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (SamlReason.XML_DOCTYPE, errors.invalid_xml_saml_response),
        (SamlReason.XML_SIZE, errors.saml_response_too_long),
        (SamlReason.SIG_MISSING, errors.missing_signature_saml_response),
        (SamlReason.SAML_STATUS, errors.failed_saml_response),
        (SamlReason.SAML_AUDIENCE, errors.invalid_audience_saml_response),
        (SamlReason.SAML_EXPIRED, errors.expired_saml_response),
        (SamlReason.SAML_NOT_YET, errors.not_yet_valid_saml_response),
        (SamlReason.SAML_IN_RESPONSE_TO, errors.unsolicited_saml_response),
        (SamlReason.SAML_ISSUER, errors.invalid_saml_response),
        (SamlReason.SAML_RECIPIENT, errors.invalid_saml_response),
        (SamlReason.SAML_CONDITION, errors.invalid_saml_response),
    ],
)
def test_the_contracts_names_for_saml(reason: SamlReason, error: ErrorType) -> None:
    assert of(SamlError(reason)).error is error


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (OidcReason.STATE, errors.missing_oidc_state_param),
        (OidcReason.CALLBACK, errors.oidc_invalid_callback_request),
        (OidcReason.CODE_GRANT, errors.oidc_auth_code_error),
        (OidcReason.SIGNATURE, errors.oidc_invalid_id_token),
        (OidcReason.NONCE, errors.oidc_invalid_id_token),
        (OidcReason.EXPIRED, errors.expired_oidc_response),
        (OidcReason.SUBJECT, errors.oidc_response_subject_mismatch),
        (OidcReason.EMAIL, errors.oidc_response_unverified_email),
    ],
)
def test_the_contracts_names_for_oidc(reason: OidcReason, error: ErrorType) -> None:
    assert of(OidcError(reason)).error is error


def test_the_steps_that_passed_come_first() -> None:
    passed = Step("xml", "a", "b", passed=True)
    refusal = of(SamlError(SamlReason.SAML_AUDIENCE, steps=[passed]))
    assert [(step.name, step.passed) for step in refusal.steps] == [
        ("xml", True),
        ("saml.aud", False),
    ]


@pytest.mark.parametrize(
    ("error", "reason", "side", "told"),
    [
        (errors.duplicate_saml_response, "duplicate_saml_response", "user", False),
        (errors.saml_csrf_cookie_mismatch, "saml_csrf_cookie_mismatch", "user", False),
        (errors.duplicate_member_email, "duplicate_member_email", "vestibule", False),
        (errors.no_login_redirect_urls_set, "no_login_redirect_urls_set", "application", False),
        (errors.invalid_saml_response, "invalid_saml_response", "identity_provider", False),
        (errors.request_too_large, "http.size", "identity_provider", True),
        (errors.unsupported_media_type, "http.type", "identity_provider", True),
        (errors.method_not_allowed, "http.method", "identity_provider", True),
        (errors.bad_request, "http.params", "identity_provider", True),
        (errors.missing_saml_response, "http.params", "identity_provider", True),
    ],
)  # fmt: skip
def test_failures_of_our_own(error: ErrorType, reason: str, side: str, told: bool) -> None:
    """Only what is wrong with the request itself is told to the browser in its own words."""
    refusal = of(Failure(error, "in these words"))
    assert (refusal.error, refusal.reason, refusal.side) == (error, reason, side)
    assert refusal.message == ("in these words" if told else "")
    assert refusal.steps[-1].received == "in these words"


@pytest.mark.parametrize(
    "error", [StoreUnavailable("x"), Conflict("x.y"), RuntimeError("x"), KeyError("x")]
)
def test_a_fault_is_no_refusal(error: Exception) -> None:
    assert refusals.of(error) is None
