"""What a refused answer means: the wire error, who must act, and what they must do.

The identity provider's and the library's finer reasons (security.md section 0) come in; one table
per protocol maps them, so that nothing outside learns more than it should: every signature and
decryption failure is one and the same error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from vestibule import errors
from vestibule.domain.sign_in.remedies import FIXES
from vestibule.errors import ErrorType, Failure
from vestibule.oidc.errors import OidcError
from vestibule.oidc.remedies import remedy as oidc_remedy
from vestibule.records import TraceStep
from vestibule.saml.errors import SamlError
from vestibule.saml.remedies import remedy

T = TypeVar("T")

Side = Literal["identity_provider", "vestibule", "application", "user"]


@dataclass(frozen=True)
class Refusal:
    """Why a sign-in ended, for the trace; `error` and `message` are all the browser is told."""

    error: ErrorType
    reason: str
    side: Side
    steps: tuple[TraceStep, ...] = ()
    message: str = ""


# Longest prefix wins; the reasons are those of saml/errors.py and oidc/errors.py, whose sides
# remedies.py there knows.
_SAML: Final[Mapping[str, ErrorType]] = {
    "xml": errors.invalid_xml_saml_response,
    "xml.size": errors.saml_response_too_long,
    "http.params": errors.missing_saml_response,
    "sig": errors.invalid_signature_saml_response,
    "sig.missing": errors.missing_signature_saml_response,
    "enc": errors.invalid_signature_saml_response,
    "certificate": errors.invalid_signature_saml_response,
    "key": errors.invalid_signature_saml_response,
    "metadata": errors.invalid_saml_response,
    "saml": errors.invalid_saml_response,
    "saml.status": errors.failed_saml_response,
    "saml.aud": errors.invalid_audience_saml_response,
    "saml.expired": errors.expired_saml_response,
    "saml.notyet": errors.not_yet_valid_saml_response,
    "saml.irt": errors.unsolicited_saml_response,
    "saml.unsolicited": errors.unsolicited_saml_response,
}
_OIDC: Final[Mapping[str, ErrorType]] = {
    "oidc": errors.oidc_invalid_callback_request,
    "oidc.state": errors.missing_oidc_state_param,
    "oidc.code": errors.oidc_auth_code_error,
    "oidc.jwks": errors.oidc_invalid_id_token,
    "oidc.idtoken": errors.oidc_invalid_id_token,
    "oidc.alg": errors.oidc_invalid_id_token,
    "oidc.key": errors.oidc_invalid_id_token,
    "oidc.sig": errors.oidc_invalid_id_token,
    "oidc.iss": errors.oidc_invalid_id_token,
    "oidc.aud": errors.oidc_invalid_id_token,
    "oidc.exp": errors.expired_oidc_response,
    "oidc.iat": errors.oidc_invalid_id_token,
    "oidc.nbf": errors.oidc_invalid_id_token,
    "oidc.nonce": errors.oidc_invalid_id_token,
    "oidc.at_hash": errors.oidc_invalid_id_token,
    "oidc.c_hash": errors.oidc_invalid_id_token,
    "oidc.auth_time": errors.oidc_invalid_id_token,
    "oidc.sub": errors.oidc_response_subject_mismatch,
    "oidc.userinfo": errors.oidc_invalid_userinfo,
    "oidc.email": errors.oidc_response_unverified_email,
}
# Errors that say the answer is right but somebody's settings are not.
_FAILURE_SIDES: Final[Mapping[str, Side]] = {
    errors.requires_active_sso_connection.name: "vestibule",
    errors.external_connection_not_active.name: "vestibule",
    errors.invalid_connection_for_jit_provisioning.name: "vestibule",
    errors.operation_restricted_by_organization_auth_methods.name: "vestibule",
    errors.saml_idp_initiated_auth_disabled.name: "vestibule",
    errors.duplicate_member_email.name: "vestibule",
    errors.retired_member_email.name: "vestibule",
    errors.action_not_allowed_email_domain_is_claimed.name: "vestibule",
    errors.organization_suspended.name: "vestibule",
    errors.user_lock_limit_reached.name: "user",
    errors.missing_saml_csrf_cookie.name: "user",
    errors.saml_csrf_cookie_mismatch.name: "user",
    errors.missing_oidc_csrf_cookie.name: "user",
    errors.oidc_csrf_cookie_mismatch.name: "user",
    errors.missing_saml_relay_state.name: "user",
    errors.unsolicited_saml_response.name: "user",
    errors.expired_saml_response.name: "user",
    errors.duplicate_saml_response.name: "user",
    errors.unsolicited_oidc_response.name: "user",
    errors.expired_oidc_response.name: "user",
    errors.no_login_redirect_urls_set.name: "application",
    errors.no_match_for_provided_sso_url.name: "application",
    errors.query_params_do_not_match.name: "application",
    errors.no_default_login_redirect_url_set.name: "application",
    errors.session_not_found.name: "application",
    errors.invalid_session_token.name: "application",
    errors.unable_to_parse_session_jwt.name: "application",
    errors.jwt_invalid_issuer.name: "application",
    errors.jwt_invalid_audience.name: "application",
    errors.jwt_invalid_claims.name: "application",
    errors.custom_claims_too_large.name: "application",
    errors.intermediate_session_not_found.name: "application",
    errors.invalid_intermediate_session_token_for_organization.name: "application",
}
# What is wrong before the answer is looked at: these errors have no name of their own on the wire.
_REASONS: Final[Mapping[ErrorType, str]] = {
    errors.request_too_large: "http.size",
    errors.unsupported_media_type: "http.type",
    errors.method_not_allowed: "http.method",
    errors.bad_request: "http.params",
    errors.missing_saml_response: "http.params",
}


def of(error: Exception) -> Refusal | None:
    """Return what `error` means for a sign-in, or None when it is no refusal but a fault."""
    if isinstance(error, SamlError):
        ends = remedy(error.reason)
        told = (*steps(error.steps[:-1]), *steps(error.steps[-1:], fix=ends.fix))
        known = _lookup(_SAML, error.reason.value)
        return Refusal(known, error.reason.value, ends.side, told)
    if isinstance(error, OidcError):
        end = oidc_remedy(error.reason)
        told = (*steps(error.steps[:-1]), *steps(error.steps[-1:], fix=end.fix))
        known = _lookup(_OIDC, error.reason.value)
        return Refusal(known, error.reason.value, end.side, told)
    if isinstance(error, Failure):
        side = _FAILURE_SIDES.get(error.error.name, "identity_provider")
        reason = _REASONS.get(error.error, error.error.name)
        fix = FIXES.get(error.error, "")
        failed = TraceStep(name=reason, expected="", received=error.message, passed=False, fix=fix)
        message = error.message if error.error in _REASONS else ""
        return Refusal(error.error, reason, side, (failed,), message)
    return None


def steps(items: Sequence[object], *, fix: str = "") -> tuple[TraceStep, ...]:
    """Return a protocol package's steps as records, each with `fix`."""
    return tuple(
        TraceStep(
            name=str(getattr(item, "name", "")),
            expected=str(getattr(item, "expected", "")),
            received=str(getattr(item, "received", "")),
            passed=bool(getattr(item, "passed", False)),
            fix=fix,
        )
        for item in items
    )


def _lookup(table: Mapping[str, T], reason: str) -> T:
    while reason not in table:
        reason, _, _ = reason.rpartition(".")
    return table[reason]
