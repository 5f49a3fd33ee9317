"""The cookie that ties a sign-in to its browser (security.md 3.3, ST-22)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_NAME: Final = "vestibule-browser"
_MAX_AGE_SECONDS: Final = 3600


def read(request: Request, *, secure: bool) -> str:
    """Return the cookie's value, or ''."""
    return request.cookies.get(_name(secure=secure), "")


def write(response: Response, value: str, *, secure: bool) -> None:
    """Set the cookie: SameSite=None over https, since the answer is a cross-site POST.

    Over http (loopback) browsers refuse SameSite=None without Secure, so it is Lax there and the
    callback posts itself once from our own origin.
    """
    response.set_cookie(
        _name(secure=secure),
        value,
        max_age=_MAX_AGE_SECONDS,
        path="/",
        secure=secure,
        httponly=True,
        samesite="none" if secure else "lax",
    )


def _name(*, secure: bool) -> str:
    return f"__Host-{_NAME}" if secure else _NAME
