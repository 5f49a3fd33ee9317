"""Findings about metadata that a person can act on."""

import pytest

from tests.support.saml_keys import certificate, signer, weak_certificate
from tests.support.saml_metadata import (
    EMAIL,
    ENTITY_ID,
    POST,
    REDIRECT,
    entities,
    entity,
    key,
    role,
    service,
    signed,
)
from vestibule.clock import DAY, SECOND
from vestibule.saml.errors import MAX_TEXT
from vestibule.saml.lint import Finding, FindingCode, Severity, lint_metadata

NOW = 1_795_003_200_000_000  # 2026-11-18T12:00:00Z
GOOD_KEYS = [key(signer("idp").pem)]
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"


def lint(document: str) -> tuple[Finding, ...]:
    return lint_metadata(document.encode(), now=NOW)


def found(document: str) -> list[tuple[FindingCode, Severity, str]]:
    return [(finding.code, finding.severity, finding.problem) for finding in lint(document)]


def dated(not_before: int, not_after: int) -> str:
    """Metadata whose one certificate is valid between these, relative to NOW."""
    idp = signer("idp")
    pem = certificate("idp", not_before=NOW + not_before, not_after=NOW + not_after, key=idp.key)
    return entity(role(keys=[key(pem)]))


def test_good_metadata_has_no_finding() -> None:
    assert lint(entity(role(keys=GOOD_KEYS))) == ()


def test_metadata_without_a_signing_key_is_found() -> None:
    keys = [key(signer("idp").pem, "encryption")]
    assert found(entity(role(keys=keys))) == [
        (
            FindingCode.NO_SIGNING_KEY,
            Severity.ERROR,
            "The metadata has no signing certificate.",
        )
    ]


@pytest.mark.parametrize(
    ("not_before", "not_after", "code", "problem"),
    [
        (
            -DAY,
            0,
            FindingCode.CERTIFICATE_EXPIRED,
            "The signing certificate of CN=idp expired on 2026-11-18T12:00:00Z.",
        ),
        (
            -DAY,
            SECOND,
            FindingCode.CERTIFICATE_EXPIRES_SOON,
            "The signing certificate of CN=idp expires on 2026-11-18T12:00:01Z.",
        ),
        (
            -DAY,
            90 * DAY,
            FindingCode.CERTIFICATE_EXPIRES_SOON,
            "The signing certificate of CN=idp expires on 2027-02-16T12:00:00Z.",
        ),
        (
            SECOND,
            900 * DAY,
            FindingCode.CERTIFICATE_NOT_YET_VALID,
            "The signing certificate of CN=idp is valid from 2026-11-18T12:00:01Z only.",
        ),
    ],
)
def test_a_certificate_out_of_its_time_is_found(
    not_before: int, not_after: int, code: FindingCode, problem: str
) -> None:
    assert found(dated(not_before, not_after)) == [(code, Severity.WARNING, problem)]


def test_a_certificate_that_lasts_has_no_finding() -> None:
    assert lint(dated(0, 90 * DAY + SECOND)) == ()


def test_every_certificate_is_looked_at() -> None:
    idp = signer("idp")
    pems = [
        certificate(name, not_before=NOW - 2 * DAY, not_after=NOW - DAY, key=idp.key)
        for name in ("first", "second")
    ]
    findings = lint(entity(role(keys=[*GOOD_KEYS, *map(key, pems)])))
    assert [finding.problem.split(" expired")[0] for finding in findings] == [
        "The signing certificate of CN=first",
        "The signing certificate of CN=second",
    ]


def test_a_weak_key_is_found() -> None:
    (finding,) = lint(entity(role(keys=[key(weak_certificate())])))
    assert (finding.code, finding.severity) == (FindingCode.WEAK_KEY, Severity.ERROR)
    assert "RSA 1024" in finding.problem
    assert "2048" in finding.remedy


def test_a_login_address_without_tls_is_found() -> None:
    services = [service(REDIRECT, "http://idp.example.com/sso"), service(POST, "https://x.test/")]
    assert found(entity(role(keys=GOOD_KEYS, services=services))) == [
        (
            FindingCode.SSO_URL_NOT_HTTPS,
            Severity.ERROR,
            "The login address http://idp.example.com/sso is not https.",
        )
    ]


def test_an_end_of_validity_within_a_week_is_found() -> None:
    soon = entity(role(keys=GOOD_KEYS), attributes=' validUntil="2026-11-25T12:00:00Z"')
    later = entity(role(keys=GOOD_KEYS), attributes=' validUntil="2026-11-25T12:00:01Z"')
    assert lint(later) == ()
    assert found(soon) == [
        (
            FindingCode.VALID_UNTIL_SOON,
            Severity.WARNING,
            "The metadata is valid until 2026-11-25T12:00:00Z only.",
        )
    ]


def test_a_wish_for_signed_requests_is_found() -> None:
    document = entity(role(keys=GOOD_KEYS, attributes=' WantAuthnRequestsSigned="true"'))
    assert found(document) == [
        (
            FindingCode.SIGNED_REQUESTS_WANTED,
            Severity.WARNING,
            "The identity provider accepts signed login requests only. Ours are signed.",
        )
    ]


def test_name_ids_without_an_e_mail_address_are_found() -> None:
    document = entity(role(keys=GOOD_KEYS, formats=[PERSISTENT]))
    assert found(document) == [
        (
            FindingCode.NO_EMAIL_NAME_ID,
            Severity.WARNING,
            f"The identity provider sends no e-mail address as NameID: {PERSISTENT}.",
        )
    ]


@pytest.mark.parametrize("formats", [[], [UNSPECIFIED], [PERSISTENT, EMAIL]])
def test_name_ids_that_may_be_an_e_mail_address_are_no_finding(formats: list[str]) -> None:
    assert lint(entity(role(keys=GOOD_KEYS, formats=formats))) == ()


def test_several_findings_come_together() -> None:
    document = entity(
        role(
            services=[service(POST, "http://idp.example.com/")],
            formats=[PERSISTENT],
            attributes=' WantAuthnRequestsSigned="1"',
        ),
        attributes=' validUntil="2026-11-19T00:00:00Z"',
    )
    assert [finding.code for finding in lint(document)] == [
        FindingCode.NO_SIGNING_KEY,
        FindingCode.SSO_URL_NOT_HTTPS,
        FindingCode.VALID_UNTIL_SOON,
        FindingCode.SIGNED_REQUESTS_WANTED,
        FindingCode.NO_EMAIL_NAME_ID,
    ]


@pytest.mark.parametrize(
    ("document", "reason", "difference"),
    [
        (
            "<html>Log in</html>",
            "metadata",
            "Expected exactly one SAML 2.0 identity provider, received none.",
        ),
        (
            "<!DOCTYPE r><r/>",
            "xml.doctype",
            "Expected no document type, received <!DOCTYPE.",
        ),
        (
            entity(role(), attributes=' validUntil="2020-01-01T00:00:00Z"'),
            "metadata",
            "Expected a validUntil in the future, received 2020-01-01T00:00:00Z.",
        ),
    ],
)
def test_metadata_that_is_refused_says_why(document: str, reason: str, difference: str) -> None:
    problem = f"The metadata cannot be used ({reason}). {difference}"
    assert found(document) == [(FindingCode.UNUSABLE, Severity.ERROR, problem)]


def test_the_entity_of_an_aggregate_can_be_chosen() -> None:
    document = entities(entity(role(keys=GOOD_KEYS)), entity(role(), entity_id="https://x.test"))
    chosen = lint_metadata(document.encode(), now=NOW, entity_id=ENTITY_ID)
    assert chosen == ()
    other = lint_metadata(document.encode(), now=NOW, entity_id="https://x.test")
    assert [finding.code for finding in other] == [FindingCode.NO_SIGNING_KEY]


@pytest.mark.parametrize(
    "document",
    [
        entity(role(), role(), entity_id="x" * 100_000),
        entity(role(keys=GOOD_KEYS, formats=["x" * 100_000])),
        entity(role(keys=GOOD_KEYS, services=[service(POST, "http://x.test/" + "x" * 2000)])),
    ],
)
def test_a_finding_is_short_whatever_the_document_holds(document: str) -> None:
    (finding,) = lint(document)
    assert len(finding.problem) < 3 * MAX_TEXT


def test_signed_metadata_whose_signer_is_unknown_is_found() -> None:
    document = signed(entity(role(keys=GOOD_KEYS), attributes=' ID="_1"'))
    (finding,) = lint(document)
    assert (finding.code, finding.severity) == (
        FindingCode.SIGNATURE_NOT_VERIFIED,
        Severity.WARNING,
    )
    assert "metadata_certificate" in finding.remedy
    known = (signer("federation").certificate,)
    assert lint_metadata(document.encode(), now=NOW, signers=known) == ()


def test_metadata_with_a_broken_signature_is_found() -> None:
    document = signed(entity(role(keys=GOOD_KEYS), attributes=' ID="_1"'))
    (finding,) = lint(document.replace("/sso/post", "/changed"))
    assert (finding.code, finding.severity) == (FindingCode.UNUSABLE, Severity.ERROR)
    assert "sig.digest" in finding.problem
