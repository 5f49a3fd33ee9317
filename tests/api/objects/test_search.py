import msgspec
import pytest
from stytch.b2b.models import organizations as sdk

from vestibule.api.objects.search import Limit, ResultsMetadata, SearchQuery


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(SearchQuery, sdk.SearchQuery), (ResultsMetadata, sdk.ResultsMetadata)],
)
def test_fields_are_those_of_the_sdk(
    ours: type[msgspec.Struct], theirs: type[sdk.SearchQuery | sdk.ResultsMetadata]
) -> None:
    assert set(ours.__struct_fields__) == set(theirs.model_fields)


def test_query_without_anything_joins_no_operands_by_and() -> None:
    query = msgspec.convert({}, SearchQuery)
    assert (query.operator, query.operands) == ("AND", [])


def test_last_page_reads_in_the_sdk() -> None:
    shown = msgspec.to_builtins(ResultsMetadata(total=3, next_cursor=None))
    assert sdk.ResultsMetadata.model_validate(shown).total == 3


@pytest.mark.parametrize("limit", [0, 1001, -1])
def test_limit_is_between_one_and_a_thousand(limit: int) -> None:
    assert msgspec.convert(1, Limit) == 1
    assert msgspec.convert(1000, Limit) == 1000
    with pytest.raises(msgspec.ValidationError, match="Expected `int`"):
        msgspec.convert(limit, Limit)
