"""Reading what a browser sends: one value per name, bounded, and fit to be written into XML."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

_MAX_BYTES: Final = 512 * 1024
_MAX_FIELDS: Final = 50
_FORM: Final = "application/x-www-form-urlencoded"
# What XML 1.0 cannot carry, or would change on the way (section 2.2 and 2.11).
_UNFIT: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class FormError(Exception):
    """The form or query breaks a rule; the words are for the person who sent it."""


async def read_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a posted form. Raises FormError; reads at most 512 KiB."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise FormError(f"The body is not {_FORM}.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise FormError(f"The body is larger than {_MAX_BYTES} bytes.")
    return _read(body.decode("latin-1"))


def read_query(request: Request) -> Mapping[str, str]:
    """Return the parameters of the query string. Raises FormError."""
    query: bytes = request.scope["query_string"]
    return _read(query.decode("latin-1"))


def _read(text: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise FormError("The fields are not readable as UTF-8, or are too many.") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise FormError("A field stands there twice.")
    return fields


def line(fields: Mapping[str, str], name: str, *, longest: int = 500) -> str:
    """Return the field `name` without outer spaces, or "" when it is absent. Raises FormError."""
    value = fields.get(name, "").strip()
    if len(value) > longest:
        raise FormError(f"The field {name} is longer than {longest} characters.")
    if _UNFIT.search(value):
        raise FormError(f"The field {name} holds a control character.")
    return value
