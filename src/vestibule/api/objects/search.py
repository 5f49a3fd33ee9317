"""What the searches have in common on the wire (contract g)."""

from typing import Annotated, Any, Final, Literal

import msgspec

DEFAULT_LIMIT: Final = 100

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class SearchQuery(msgspec.Struct, kw_only=True):
    """`b2b.organizations.SearchQuery`: operands are `{filter_name, filter_value}`."""

    operator: Literal["AND", "OR"] = "AND"
    operands: list[dict[str, Any]] = []


class ResultsMetadata(msgspec.Struct, kw_only=True):
    """How many fit in all, and where the next page begins; null on the last one."""

    total: int
    next_cursor: str | None
