"""The command `vestibule saml`: find out why a SAML login fails, or would fail, from files."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from vestibule.cli.telling import SIDES, WIDTH, step_lines
from vestibule.clock import SystemClock, rfc3339
from vestibule.domain.connection_settings import demands
from vestibule.log import printable
from vestibule.records import SamlPolicy
from vestibule.remedy import Remedy
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.expectation import Expectation
from vestibule.saml.explain import Claims, Explanation, explain, read_claims
from vestibule.saml.keys import Certificate, read_certificate, read_private_key
from vestibule.saml.lint import Severity, lint_metadata
from vestibule.saml.metadata import IdentityProviderMetadata, parse_identity_provider
from vestibule.saml.remedies import remedy
from vestibule.saml.response import VerifiedAssertion
from vestibule.saml.times import read_instant

_FILE: Final = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)


@click.group()
def saml() -> None:
    """SAML: look into a message that was refused, or into metadata before it is used."""


@saml.command("explain")
@click.argument("file", type=_FILE)
@click.option("--metadata", required=True, type=_FILE, help="The identity provider's metadata.")
@click.option("--idp-entity-id", help="Which identity provider, when the metadata lists several.")
@click.option("--acs", help="The connection's acs_url.")
@click.option("--audience", help="The connection's audience_uri.")
@click.option("--request-id", help="The ID of the AuthnRequest that the message answers.")
@click.option("--now", help="When it arrived, as 2026-11-22T12:00:00Z.")
@click.option("--decryption-key", type=_FILE, help="The connection's private key, PKCS#1 PEM.")
@click.option("--settings", type=_FILE, help="What GET .../connections/ID/settings answered, JSON.")
def explain_response(
    *,
    file: Path,
    metadata: Path,
    idp_entity_id: str | None,
    acs: str | None,
    audience: str | None,
    request_id: str | None,
    now: str | None,
    decryption_key: Path | None,
    settings: Path | None,
) -> None:
    """Tell step by step whether the Response in FILE is accepted, and who must fix what.

    FILE holds the XML, or the base64 of the form field SAMLResponse; - reads standard input. What
    is not given is taken from the message and printed as assumed. Exits 0 when it is accepted, 1
    when it is refused, 2 when the input cannot be used.
    """
    data = _read(file)
    claims = read_claims(data)
    if claims.encrypted and decryption_key is not None and audience is None:
        raise click.UsageError("The assertion is encrypted: give --audience, and --acs.")
    moment = _instant(now) if now is not None else claims.issued_at or 0
    provider = _metadata(metadata, entity_id=idp_entity_id, now=moment)
    expectation = Expectation(
        idp_entity_id=provider.entity_id,
        keys=provider.certificates,
        acs_urls=_known(acs, claims.acs_url),
        audiences=_known(audience, claims.audience),
        request_id=request_id if request_id is not None else claims.request_id,
        decryption_keys=() if decryption_key is None else (_private_key(decryption_key),),
        **({} if settings is None else demands(_policy(settings))),
    )
    given = {"--acs": acs, "--audience": audience, "--request-id": request_id, "--now": now}
    for line in _assumed({name for name, value in given.items() if value is None}, claims):
        click.echo(line)
    explained = explain(data, expectation, now=moment)
    if decryption_key is None and explained.steps[-1].name == Reason.ENC_NOKEY:
        raise click.UsageError("The assertion is encrypted: give --decryption-key.")
    for line in _told(explained):
        click.echo(line)
    click.get_current_context().exit(1 if isinstance(explained.verdict, Remedy) else 0)


@saml.command("lint")
@click.argument("file", type=_FILE)
@click.option("--idp-entity-id", help="Which identity provider, when the metadata lists several.")
@click.option("--signer", type=_FILE, help="The certificate that signs the metadata, PEM.")
@click.option("--now", help="As of when, as 2026-11-22T12:00:00Z; now when it is not given.")
def lint_file(
    *, file: Path, idp_entity_id: str | None, signer: Path | None, now: str | None
) -> None:
    """Tell what is wrong with the identity provider's metadata in FILE, and who mends it how.

    A FILE of - is standard input. Exits 0 when people can sign in with it, 1 when nobody can, 2
    when the input cannot be used.
    """
    findings = lint_metadata(
        _read(file),
        now=SystemClock().now() if now is None else _instant(now),
        entity_id=idp_entity_id,
        signers=() if signer is None else (_certificate(signer),),
    )
    for finding in findings:
        click.echo(f"{finding.severity.upper():<8} {finding.code}")
        for text in (finding.problem, finding.remedy):
            click.echo(textwrap.indent(textwrap.fill(printable(text), WIDTH - 2), "  "))
    if not findings:
        click.echo("Nothing is wrong with this metadata.")
    useless = any(finding.severity is Severity.ERROR for finding in findings)
    click.get_current_context().exit(1 if useless else 0)


def _read(file: Path) -> bytes:
    with click.open_file(str(file), "rb") as opened:
        return bytes(opened.read())


def _known(given: str | None, claimed: str | None) -> tuple[str, ...]:
    value = given if given is not None else claimed
    return () if value is None else (value,)


def _instant(text: str) -> int:
    try:
        return read_instant(text)
    except SamlError as error:
        _unusable("--now", error)


def _metadata(file: Path, *, entity_id: str | None, now: int) -> IdentityProviderMetadata:
    try:
        return parse_identity_provider(_read(file), now=now, entity_id=entity_id)
    except SamlError as error:
        _unusable("--metadata", error)


def _private_key(file: Path) -> RSAPrivateKey:
    try:
        return read_private_key(_read(file).decode("latin-1"))
    except SamlError as error:
        _unusable("--decryption-key", error)


def _certificate(file: Path) -> Certificate:
    try:
        return read_certificate(_read(file).decode("latin-1"))
    except SamlError as error:
        _unusable("--signer", error)


class _Answer(msgspec.Struct):
    """What the settings endpoint answers, as far as it is about an answer's verification."""

    settings: SamlPolicy


def _policy(file: Path) -> SamlPolicy:
    try:
        return msgspec.json.decode(_read(file), type=_Answer).settings
    except msgspec.DecodeError as error:
        raise click.BadParameter(printable(str(error)), param_hint="--settings") from None


def _unusable(option: str, error: SamlError) -> NoReturn:
    """End the command with status 2 and what would be usable."""
    words = f"expected {error.expected}, received {error.received}. {remedy(error.reason).fix}"
    raise click.BadParameter(printable(words), param_hint=option)


def _assumed(missing: set[str], claims: Claims) -> Iterator[str]:
    """What was taken from the message: it is right only as far as the message is."""
    if not missing:
        return
    claimed = {
        "--acs": claims.acs_url,
        "--audience": claims.audience,
        "--request-id": claims.request_id or "none: not asked for",
        "--now": None if claims.issued_at is None else rfc3339(claims.issued_at),
    }
    yield "Assumed from the message, because it was not given:"
    for name, value in claimed.items():
        if name in missing:
            yield f"  {name:<13} {printable(value or 'not to be found in it')}"
    yield ""


def _told(explained: Explanation) -> Iterator[str]:
    for step in explained.steps:
        yield from step_lines(step)
    yield ""
    verdict = explained.verdict
    if isinstance(verdict, Remedy):
        yield f"Verdict: refused, {explained.steps[-1].name}."
        yield f"To be fixed by: {SIDES[verdict.side]}."
        yield from textwrap.wrap(verdict.fix, WIDTH)
    else:
        yield "Verdict: accepted."
        yield from _identity(verdict)


def _identity(accepted: VerifiedAssertion) -> Iterator[str]:
    yield f"  NameID        {printable(accepted.name_id or 'none')}"
    yield f"  SessionIndex  {printable(accepted.session_index or 'none')}"
    for name, values in accepted.attributes.items():
        yield f"  {printable(name)}: {printable(', '.join(values))}"
    for warning in accepted.warnings:
        yield f"Warning: {printable(warning)}"
