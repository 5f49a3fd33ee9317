"""The fields that a browser brings, read strictly: each once, one message, one content type."""

from collections.abc import Collection
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from vestibule import errors
from vestibule.errors import Failure
from vestibule.web import read_body

_FORM: Final = "application/x-www-form-urlencoded"
# base64 of 256 KiB and its percent-encoding, with room for RelayState.
_MAX_FORM_BYTES: Final = 1_100_000
_MAX_FIELDS: Final = 50


def query(request: Request) -> str:
    """Return the query as it came; not of `request.url`, which anybody's Host header is part of."""
    return str(request.scope["query_string"].decode("latin-1"))


def query_fields(request: Request) -> dict[str, str]:
    """Return the fields of the query. Raises Failure when one is given twice."""
    return _once(query(request))


async def saml_form(
    request: Request, messages: Collection[str] = ("SAMLResponse",)
) -> dict[str, str]:
    """Return the fields of a posted form (security.md XP-24, XP-43, XP-44).

    Raises Failure: not posted, too large, not a form, or not exactly one of `messages`.
    """
    if request.method != "POST":
        raise Failure(errors.method_not_allowed)
    text = await _posted(request)
    wanted = " or ".join(messages)
    if any(_is_message(name) for name, _ in _pairs(query(request))):
        raise Failure(errors.missing_saml_response, f"{wanted} belongs into the form alone.")
    fields = _once(text)
    found = [name for name in fields if _is_message(name)]
    if len(found) != 1 or found[0] not in messages:
        raise Failure(errors.missing_saml_response, f"Post exactly one {wanted}.")
    if not fields[found[0]]:
        raise Failure(errors.missing_saml_response)
    return fields


async def posted_field(request: Request, name: str) -> str:
    """Return one field of a posted form. Raises Failure when it is no form, or has none or two."""
    value = _once(await _posted(request)).get(name, "")
    if not value:
        raise Failure(errors.bad_request, f"{name}: missing.")
    return value


async def _posted(request: Request) -> str:
    """Return a posted form as it came. Raises Failure: too large, or not a form."""
    body = await read_body(request.scope, request.receive, limit=_MAX_FORM_BYTES)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != _FORM:
        raise Failure(errors.unsupported_media_type, f"Post a form ({_FORM}).")
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise Failure(errors.bad_request, "The form is not URL-encoded.") from None


def _is_message(name: str) -> bool:
    """True for SAMLResponse, SAMLRequest, SAMLart, and names that some would read as these."""
    return name.lower().startswith("saml")


def _once(query: str) -> dict[str, str]:
    """Return the fields of a query or form. Raises Failure when one is given twice."""
    pairs = _pairs(query)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Failure(errors.bad_request, f"{twice[:100]}: given more than once.")
    return fields


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError:
        raise Failure(errors.bad_request, "The fields cannot be read.") from None
    if any("\0" in value for _, value in pairs):
        raise Failure(errors.bad_request, "A field has a NUL character.")
    return pairs
