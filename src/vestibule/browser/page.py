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
    "base-uri 'none'; frame-ancestors 'none'; form-action {targets}"
)
SAFETY: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY.format(targets="'none'"),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def render(
    template: str, *, status: int = 200, has_form: bool = False, **values: object
) -> Response:
    """Return a page with the headers that every page of ours carries.

    A form leads to an identity provider or to the application, and each may redirect on to hosts
    of its own. Chromium holds those redirects, too, against form-action, so that the policy of a
    page that has one (`has_form`) names schemes and no host; other pages may have none.
    """
    html = _templates.get_template(template).render(**values)
    page = HTMLResponse(html, status_code=status, headers=dict(SAFETY))
    if has_form:
        page.headers["Content-Security-Policy"] = _POLICY.format(targets="http: https:")
    return page
