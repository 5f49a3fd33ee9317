"""The error of the package and the trace it ends."""

import pytest

from vestibule.saml.errors import MAX_TEXT, Checks, Reason, SamlError, Step, cut


def test_error_says_what_was_wanted_and_got() -> None:
    error = SamlError(Reason.SAML_AUDIENCE, expected="ours", received="theirs")
    assert (error.reason, error.expected, error.received) == ("saml.aud", "ours", "theirs")
    assert str(error) == "saml.aud: expected 'ours', received 'theirs'"
    assert error.steps == (Step("saml.aud", "ours", "theirs", passed=False),)


def test_error_without_details_is_a_failed_step_too() -> None:
    error = SamlError(Reason.ENC)
    assert (error.expected, error.received) == (None, None)
    assert error.steps == (Step("enc", "", "", passed=False),)


def test_error_ends_the_checks_that_passed() -> None:
    passed = Step("xml", "a", "b", passed=True)
    error = SamlError(Reason.SAML_STATUS, steps=(passed,))
    assert [step.name for step in error.steps] == ["xml", "saml.status"]
    assert error.after(error.steps[:1]) is error
    assert [step.passed for step in error.steps] == [True, False]


def test_checks_note_what_passed_and_raise_what_did_not() -> None:
    checks = Checks()
    checks.require(passed=True, reason=Reason.SAML_ISSUER, expected="i", received="i")
    assert checks.steps == (Step("saml.issuer", "i", "i", passed=True),)
    with pytest.raises(SamlError) as caught:
        checks.require(passed=False, reason=Reason.SAML_ISSUER, expected="i", received="j")
    assert (caught.value.reason, caught.value.received) == (Reason.SAML_ISSUER, "j")
    assert len(checks.steps) == 1


def test_checks_forget_what_was_for_something_that_failed() -> None:
    checks = Checks()
    checks.note(Reason.XML, expected="a", received="a")
    noted = len(checks.steps)
    for reason in (Reason.SAML_RECIPIENT, Reason.SAML_IN_RESPONSE_TO):
        checks.note(reason, expected="b", received="b")
    checks.forget(since=noted)
    assert [step.name for step in checks.steps] == ["xml"]


def test_checks_warn_once() -> None:
    checks = Checks()
    for _ in range(2):
        checks.warn("enc.cbc")
    checks.warn("authn.missing")
    assert checks.warnings == ("enc.cbc", "authn.missing")


def test_texts_are_cut() -> None:
    long = "x" * 1_000
    error = SamlError(Reason.SAML_STATUS, expected=long, received=long)
    checks = Checks()
    checks.note(Reason.XML, expected=long, received=long)
    checks.warn(long)
    for text in (error.expected, error.received, checks.steps[0].received, checks.warnings[0]):
        assert text is not None
        assert (len(text), text[-1]) == (MAX_TEXT, "\u2026")
    assert cut("x" * MAX_TEXT) == "x" * MAX_TEXT


def test_step_names_are_plain_text() -> None:
    assert f"{SamlError(Reason.SIG_DIGEST).steps[0].name}" == "sig.digest"
