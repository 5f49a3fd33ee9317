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
# No form-action: our forms post to identity providers, which redirect on to hosts of their own.
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SAFETY: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


def render(template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page with the headers that every page of ours carries."""
    html = _templates.get_template(template).render(**values)
    return HTMLResponse(html, status_code=status, headers=dict(SAFETY))
