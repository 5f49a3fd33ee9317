"""Which registered redirect URLs are of one origin, whatever the project."""

from collections.abc import Sequence
from typing import Final

from vestibule.records import RedirectUrl
from vestibule.store.interface import Transaction

_BEGINNING: Final = "WHERE LOWER(url) >= $1 AND LOWER(url) < $2"
_BEYOND: Final = "\x7f"  # comes after all that a URL is written in


async def redirect_urls(tx: Transaction, origin: str) -> Sequence[RedirectUrl]:
    """Return those that begin with `origin`, in lower case: not all of them are of that host."""
    return await tx.redirect_urls.select(_BEGINNING, origin, origin + _BEYOND)
