"""How a page leaves: rendered from a template, under a content security policy of our own."""

from collections.abc import Mapping
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

_templates: Final = Environment(
    loader=PackageLoader("vestibule.browser"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SAFETY: Final[Mapping[str, str]] = {
    "Content-Security-Policy": f"{_POLICY}; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def render(template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page with the headers that every page of ours carries.

    A form leads to an identity provider or to the application, and each may redirect on to hosts of
    its own, or to an application on the device. Chromium holds those redirects, too, against
    form-action, which cannot name every scheme: a page with a form has none, all others allow none.
    """
    html = _templates.get_template(template).render(**values)
    page = HTMLResponse(html, status_code=status, headers=dict(SAFETY))
    # It is in a template of ours: in a value it would be escaped.
    if "<form" in html:
        page.headers["Content-Security-Policy"] = _POLICY
    return page
