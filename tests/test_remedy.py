import typing

from tests.support.remedies import SIDES
from vestibule.remedy import Side, identity_provider, user, vestibule


def test_each_side_has_its_own_way_to_be_named() -> None:
    made = [identity_provider("Do it."), vestibule("Do it."), user("Do it.")]
    assert [each.side for each in made] == list(typing.get_args(Side))
    assert set(typing.get_args(Side)) == SIDES
    assert {each.fix for each in made} == {"Do it."}
