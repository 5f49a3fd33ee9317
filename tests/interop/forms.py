"""The forms of a page, as a browser sends them when somebody presses the Enter key."""

from dataclasses import dataclass
from urllib.parse import urljoin

from lxml import html

# What a person does not fill in and a browser does not send unless it was clicked.
LEFT_OUT = {"submit", "image", "button", "reset", "checkbox", "radio", "file"}


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form of a page, as it would be sent when nothing is typed into it."""

    method: str
    url: str
    fields: dict[str, str]
    password_field: str | None
    login_field: str | None


def page_of(text: str) -> html.HtmlElement:
    return html.fromstring(text or "<p>")


def forms_of(page: html.HtmlElement, page_url: str) -> list[Form]:
    return [_read(form, page_url) for form in page.iter("form")]


def _read(form: html.HtmlElement, page_url: str) -> Form:
    fields: dict[str, str] = {}
    password_field = login_field = None
    for control in form.iter("input"):
        name, kind = control.get("name"), (control.get("type") or "text").lower()
        if not name or kind in LEFT_OUT:
            continue
        fields[name] = control.get("value") or ""
        if kind == "password":
            password_field = password_field or name
        elif kind in ("text", "email") and not fields[name]:
            login_field = login_field or name
    fields |= _button(form)
    return Form(
        method=(form.get("method") or "get").upper(),
        url=urljoin(page_url, form.get("action") or page_url),
        fields=fields,
        password_field=password_field,
        login_field=login_field,
    )


def _button(form: html.HtmlElement) -> dict[str, str]:
    """What the Enter key sends along: the first button of a form, which may stand outside it."""
    page, name = form.getroottree().getroot(), form.get("id")
    buttons = [each for each in page.iter("button", "input") if each.get("type") == "submit"]
    mine = (
        each for each in buttons if form in each.iterancestors() or each.get("form", "") == name
    )
    first = next(mine, None)
    if first is None or not first.get("name"):
        return {}
    return {first.get("name"): first.get("value") or ""}
