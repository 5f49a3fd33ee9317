"""Cursors of searches: where the next page begins, unreadable and bound to what was asked."""

import base64
import binascii
import hashlib
from typing import Final

import msgspec

from vestibule import errors
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Project
from vestibule.store.sealing import SealError

_MAX_CHARS: Final = 1024


def named(search: str, *asked: object) -> str:
    """Return the name of a search for exactly what was `asked` (what JSON can say).

    A cursor of another question would begin a page at a place that means nothing.
    """
    return f"{search}:{hashlib.sha256(msgspec.json.encode(asked)).hexdigest()}"


def write(context: Context, project: Project, search: str, position: tuple[str, ...]) -> str:
    """Return a cursor for `position` in the search that has this name within `project`."""
    sealed = context.sealer.seal(msgspec.json.encode(position), purpose=_purpose(project, search))
    return base64.urlsafe_b64encode(sealed).decode()


def read(context: Context, project: Project, search: str, text: str) -> tuple[str, ...]:
    """Return the position that `write` was given. Raises Failure bad_request for any other text."""
    refused = Failure(errors.bad_request, "cursor: expected a next_cursor of this search.")
    if len(text) > _MAX_CHARS or not text.isascii():
        raise refused
    try:
        sealed = base64.b64decode(text, altchars=b"-_", validate=True)
        # Unused bits of the last character would make other texts the same cursor.
        if base64.urlsafe_b64encode(sealed).decode() != text:
            raise refused
        plain = context.sealer.unseal(sealed, purpose=_purpose(project, search))
    except (binascii.Error, SealError):
        raise refused from None
    return msgspec.json.decode(plain, type=tuple[str, ...])


def _purpose(project: Project, search: str) -> str:
    return f"cursor:{project.project_id}:{search}"
