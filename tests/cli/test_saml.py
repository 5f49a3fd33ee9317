"""`vestibule saml` as an administrator runs it on a message that was refused, or on metadata."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml.etree import _Element

from tests.support.saml_documents import (
    ACS,
    AUD,
    NOW,
    REQ,
    VICTIM,
    Signature,
    document,
    find,
    form_field,
    fragment,
    octets,
)
from tests.support.saml_encryption import Encryption
from tests.support.saml_keys import certificate, signer
from tests.support.saml_metadata import entity, key, role, signed
from vestibule.cli import main
from vestibule.clock import DAY, HOUR, rfc3339
from vestibule.saml.errors import Reason
from vestibule.saml.keys import private_key_pem
from vestibule.saml.remedies import remedy

Explain = Callable[..., Result]
GIVEN = ("--acs", ACS, "--audience", AUD, "--request-id", REQ, "--now", rfc3339(NOW))


@pytest.fixture
def explain(tmp_path: Path) -> Explain:
    metadata = tmp_path / "metadata.xml"
    metadata.write_text(entity(role(keys=[key(signer("idp").pem)])))

    def run(content: bytes | str, *options: str) -> Result:
        file = tmp_path / "response"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        words = ["saml", "explain", str(file), "--metadata", str(metadata), *options]
        return CliRunner().invoke(main, words)

    return run


@pytest.mark.parametrize("content", [octets(document()), form_field(document())])
def test_an_accepted_message_ends_with_its_identity(explain: Explain, content: bytes) -> None:
    result = explain(content, *GIVEN)
    assert result.exit_code == 0, result.output
    assert "Assumed" not in result.output
    assert "FAILED" not in result.output
    assert "ok      saml.aud" in result.output
    verdict = result.output.partition("\nVerdict: accepted.\n")[2]
    assert f"NameID        {VICTIM}" in verdict
    assert "groups: engineering, mathematics" in verdict


def test_what_is_not_given_is_assumed_and_said(explain: Explain) -> None:
    result = explain(octets(document()))
    assert result.exit_code == 0
    head = result.output.partition("\n\n")[0].splitlines()
    assert head[0].startswith("Assumed from the message")
    assert [line.split() for line in head[1:]] == [
        ["--acs", ACS],
        ["--audience", AUD],
        ["--request-id", REQ],
        ["--now", rfc3339(NOW)],
    ]


def test_a_refused_message_says_wanted_got_and_who_must_fix_it(explain: Explain) -> None:
    result = explain(octets(document()), *GIVEN, "--audience", "https://other.example")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    at = lines.index("FAILED  saml.aud")
    assert lines[at + 1 : at + 3] == [
        "        wanted  https://other.example",
        f"        got     {AUD}",
    ]
    assert "Verdict: refused, saml.aud." in lines
    assert "To be fixed by: the identity provider's administrator." in lines
    told = " ".join(lines[lines.index("Verdict: refused, saml.aud.") + 2 :])
    assert told == remedy(Reason.SAML_AUDIENCE).fix


def test_another_certificate_is_for_the_connection_to_fix(explain: Explain) -> None:
    forged = octets(document(signature=Signature(key=signer("attacker").key)))
    result = explain(forged, *GIVEN)
    assert result.exit_code == 1
    assert "To be fixed by: the administrator of the connection." in result.output


def test_the_time_may_be_given(explain: Explain) -> None:
    late = rfc3339(NOW + HOUR)
    result = explain(octets(document()), "--now", late)
    assert result.exit_code == 1
    assert "Verdict: refused, saml.expired." in result.output


def test_an_encrypted_message_needs_our_key_and_what_it_hides(
    explain: Explain, tmp_path: Path
) -> None:
    private_key = tmp_path / "key.pem"
    private_key.write_text(private_key_pem(signer("sp").key))
    data = octets(document(encryption=Encryption()))
    without = explain(data, *GIVEN)
    assert (without.exit_code, "give --decryption-key" in without.output) == (2, True)
    hidden = explain(data, "--decryption-key", str(private_key))
    assert (hidden.exit_code, "give --audience" in hidden.output) == (2, True)
    assert explain(data, *GIVEN, "--decryption-key", str(private_key)).exit_code == 0


@pytest.mark.parametrize(
    ("option", "value", "blamed"),
    [
        ("--now", "yesterday", "--now"),
        ("--metadata", __file__, "--metadata"),
        ("--metadata", "/nowhere/metadata.xml", "--metadata"),
        ("--idp-entity-id", "https://other.example", "--metadata"),
        ("--decryption-key", __file__, "--decryption-key"),
    ],
)
def test_unusable_input_ends_with_status_two(
    explain: Explain, option: str, value: str, blamed: str
) -> None:
    result = explain(octets(document()), option, value)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert f"Invalid value for {blamed}" in result.output.replace("'", "")


def test_what_was_tolerated_is_told_as_a_warning(explain: Explain) -> None:
    def nest(root: _Element) -> None:
        find(root, "saml:AttributeValue").append(fragment("<saml:Nested/>"))

    result = explain(octets(document(before=nest)), *GIVEN)
    assert result.exit_code == 0, result.output
    assert "Warning: attribute.nested: email" in result.output


def test_nothing_a_stranger_wrote_reaches_the_terminal_as_control(explain: Explain) -> None:
    data = octets(document(before=lambda root: find(root, "saml:NameID").set("Format", "\x9b2J")))
    assert "\x9b" not in explain(data, *GIVEN).output
    named = octets(document(before=lambda root: _name(find(root, "saml:NameID"))))
    output = explain(named, *GIVEN).output
    assert "\x9b" not in output
    assert "\\x9b2Jada" in output


def _name(name_id: _Element) -> None:
    name_id.text = "\x9b2Jada"


def test_settings_of_the_connection_count(explain: Explain, tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    answer = {"status_code": 200, "settings": {"protocol": "saml", "require_signed_response": True}}
    settings.write_text(json.dumps(answer))
    refused = explain(octets(document()), *GIVEN, "--settings", str(settings))
    assert (refused.exit_code, "FAILED  sig.policy" in refused.output) == (1, True)
    accepted = explain(octets(document(sign="both")), *GIVEN, "--settings", str(settings))
    assert accepted.exit_code == 0


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"settings": {"allow_cbc": "yes"}}'])
def test_settings_that_are_none_end_the_command(
    explain: Explain, tmp_path: Path, content: str
) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text(content)
    result = explain(octets(document()), *GIVEN, "--settings", str(settings))
    assert (result.exit_code, "--settings" in result.output) == (2, True)


# lint ------------------------------------------------------------------------------------------


@pytest.fixture
def lint(tmp_path: Path) -> Explain:
    def run(content: str, *options: str) -> Result:
        file = tmp_path / "metadata.xml"
        file.write_text(content)
        return CliRunner().invoke(main, ["saml", "lint", str(file), *options])

    return run


def test_good_metadata_has_nothing_wrong(lint: Explain) -> None:
    result = lint(entity(role(keys=[key(signer("idp").pem)])), "--now", rfc3339(NOW))
    assert (result.exit_code, result.stdout) == (0, "Nothing is wrong with this metadata.\n")


def test_a_warning_says_what_to_do_and_is_no_failure(lint: Explain) -> None:
    soon = certificate("idp", not_before=NOW - DAY, not_after=NOW + DAY, key=signer("idp").key)
    result = lint(entity(role(keys=[key(soon)])), "--now", rfc3339(NOW))
    assert result.exit_code == 0
    assert result.stdout.startswith("WARNING  certificate_expires_soon\n  The signing certificate")
    assert "  Make a new signing certificate before then" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
    # Without a time it is as of now, when this certificate of the past is over.
    assert "certificate_expired" in lint(entity(role(keys=[key(soon)]))).stdout


@pytest.mark.parametrize(
    ("content", "code"),
    [("<nothing/>", "unusable"), (entity(role(keys=[])), "no_signing_key"), ("", "unusable")],
)
def test_useless_metadata_ends_with_status_one(lint: Explain, content: str, code: str) -> None:
    result = lint(content, "--now", rfc3339(NOW))
    assert result.exit_code == 1
    assert result.stdout.startswith(f"ERROR    {code}\n")


def test_who_signs_the_metadata_and_which_provider_may_be_said(
    lint: Explain, tmp_path: Path
) -> None:
    whole = signed(entity(role(keys=[key(signer("idp").pem)]), attributes=' ID="e"'))
    assert "signature_not_verified" in lint(whole, "--now", rfc3339(NOW)).stdout
    pem = tmp_path / "signer.pem"
    pem.write_text(signer("federation").pem)
    result = lint(whole, "--now", rfc3339(NOW), "--signer", str(pem))
    assert result.stdout == "Nothing is wrong with this metadata.\n"
    pem.write_text(signer("other").pem)
    assert lint(whole, "--now", rfc3339(NOW), "--signer", str(pem)).exit_code == 1
    missing = lint(whole, "--now", rfc3339(NOW), "--idp-entity-id", "https://other.example")
    assert missing.exit_code == 1


@pytest.mark.parametrize("option", ["--now", "--signer"])
def test_unusable_options_of_lint_end_with_status_two(
    lint: Explain, tmp_path: Path, option: str
) -> None:
    junk = tmp_path / "junk"
    junk.write_text("junk")
    result = lint(entity(role(keys=[])), option, str(junk) if option == "--signer" else "soon")
    assert result.exit_code == 2
    assert option in result.stderr


def test_nothing_in_metadata_reaches_the_terminal_as_control(lint: Explain) -> None:
    content = entity(role(keys=[key(signer("idp").pem)], formats=["x\u202ey\u200b"]))
    result = lint(content, "--now", rfc3339(NOW))
    assert result.exit_code == 0
    assert "no_email_name_id" in result.stdout
    assert result.stdout.isascii()
