"""Which registered redirect URLs are of one origin, whatever the project."""

from collections.abc import Sequence
from typing import Final

from vestibule.records import RedirectUrl
from vestibule.store.interface import Transaction

_BEGINNING: Final = "WHERE SUBSTR(LOWER(url), 1, $2) = $1"


async def redirect_urls(tx: Transaction, origin: str) -> Sequence[RedirectUrl]:
    """Return those that begin with `origin`, in lower case: not all of them are of that host."""
    return await tx.redirect_urls.select(_BEGINNING, origin, len(origin))
