from typing import Any

import pytest
from jinja2 import UndefinedError

from vestibule.browser.page import SAFETY, render
from vestibule.domain.mfa.unlocking import Locked

HOSTILE = "\"'><script>alert(1)</script>"


VALUES: dict[str, Any] = {
    "message": "m",
    "error_type": "e",
    "request_id": "r",
    "trace_id": "t",
    "back": "https://app.example.test",
}


def refused(**changes: object) -> str:
    return bytes(render("refused.html", **{**VALUES, **changes}).body).decode()


@pytest.mark.case("AD-14")
def test_every_page_carries_the_safe_headers() -> None:
    response = render("errors.html", errors=(), status=418)
    assert response.status_code == 418
    for name, value in SAFETY.items():
        assert response.headers[name] == value


def directives(policy: str) -> dict[str, str]:
    found = (part.strip().partition(" ") for part in policy.split(";"))
    return {name: value for name, _, value in found}


@pytest.mark.case("AD-15")
def test_the_policy_lets_nothing_in_but_our_own_files() -> None:
    assert directives(SAFETY["Content-Security-Policy"]) == {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": "'none'",
    }


@pytest.mark.case("AD-16")
@pytest.mark.parametrize(
    ("template", "values"),
    [
        ("post.html", {"action": "/", "fields": {}}),
        ("logout_post.html", {"action": "/", "fields": {}}),
        ("email_update.html", {"email_address": "ada@acme.test"}),
        ("member_unlock.html", {"locked": Locked("ada@acme.test", "Acme")}),
    ],
)
def test_the_policy_of_a_page_with_a_form_says_nothing_of_where_that_may_lead(
    template: str, values: dict[str, Any]
) -> None:
    policy = directives(render(template, **values).headers["Content-Security-Policy"])
    assert {**policy, "form-action": "'none'"} == directives(SAFETY["Content-Security-Policy"])
    assert "form-action" not in policy


@pytest.mark.case("AD-16")
def test_a_form_in_a_value_is_none() -> None:
    response = render("refused.html", **{**VALUES, "message": "<form action=/>"})
    assert response.headers["Content-Security-Policy"] == SAFETY["Content-Security-Policy"]


@pytest.mark.case("AD-15")
@pytest.mark.parametrize("field", ["message", "error_type", "request_id", "trace_id", "back"])
def test_values_are_escaped(field: str) -> None:
    page = refused(**{field: HOSTILE})
    assert "<script" not in page
    assert "&#34;&#39;&gt;&lt;script&gt;" in page


@pytest.mark.case("AD-16")
def test_a_form_is_escaped_in_names_values_and_action() -> None:
    response = render("post.html", action=HOSTILE, fields={HOSTILE: HOSTILE})
    page = bytes(response.body).decode()
    assert page.count("<script") == 1
    assert '<script src="/assets/submit.js" defer>' in page
    assert page.count("&lt;script&gt;") == 3


def test_without_a_trace_there_is_none_on_the_page() -> None:
    assert "Trace" in refused(trace_id="trace-1")
    assert "Trace" not in refused(trace_id="")


def test_a_value_that_is_missing_is_a_mistake() -> None:
    with pytest.raises(UndefinedError):
        render("refused.html")
