"""Cursors of searches: where the next page begins, unreadable and bound to what was asked."""

import hashlib

import msgspec

from vestibule import errors
from vestibule.domain import sealed_texts
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Project


def named(search: str, *asked: object) -> str:
    """Return the name of a search for exactly what was `asked` (what JSON can say).

    A cursor of another question would begin a page at a place that means nothing.
    """
    return f"{search}:{hashlib.sha256(msgspec.json.encode(asked)).hexdigest()}"


def write(context: Context, project: Project, search: str, position: tuple[str, ...]) -> str:
    """Return a cursor for `position` in the search that has this name within `project`."""
    return sealed_texts.write(context, position, purpose=_purpose(project, search))


def read(context: Context, project: Project, search: str, text: str) -> tuple[str, ...]:
    """Return the position that `write` was given. Raises Failure bad_request for any other text."""
    position = sealed_texts.read(context, text, purpose=_purpose(project, search))
    if position is None:
        raise Failure(errors.bad_request, "cursor: expected a next_cursor of this search.")
    return position


def _purpose(project: Project, search: str) -> str:
    return f"cursor:{project.project_id}:{search}"
