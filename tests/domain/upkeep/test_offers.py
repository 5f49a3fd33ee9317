"""What of metadata is offered: changes at its publisher, not changes that a person made."""

import pytest

from vestibule.domain.upkeep.offers import Change, Offer, accepted, offer_of
from vestibule.records import MetadataFeed, Published


def feed(taken: Published, seen: Published) -> MetadataFeed:
    return MetadataFeed(
        project_id="p",
        organization_id="o",
        connection_id="c",
        url="https://idp.example.com/metadata",
        taken=taken,
        seen=seen,
        due_at=0,
    )


def published(*certificates: str, **fields: str) -> Published:
    return Published(fields=fields, certificates=certificates)


def offer(taken: Published, seen: Published, current: Published) -> Offer | None:
    return offer_of(feed(taken, seen), current)


def test_nothing_new_is_no_offer() -> None:
    same = published("A", "B", url="1")
    assert offer(same, same, same) is None


def test_new_value_is_offered_beside_the_current_one() -> None:
    found = offer(published(url="1"), published(url="2"), published(url="1"))
    assert found == Offer(
        changes=(Change(field="url", current="1", offered="2"),), added=(), removed=()
    )


@pytest.mark.parametrize(("seen", "current"), [("1", "by hand"), ("2", "2")])
def test_value_entered_by_a_person_is_left_alone(seen: str, current: str) -> None:
    assert offer(published(url="1"), published(url=seen), published(url=current)) is None


@pytest.mark.parametrize(
    ("taken", "seen", "current", "added", "removed"),
    [
        ("A", "AB", "A", "B", ""),
        ("A", "B", "A", "B", "A"),
        ("AB", "B", "AB", "", "A"),
        # Entered by a person, or removed by one.
        ("A", "AB", "AB", "", ""),
        ("AB", "AB", "A", "", ""),
        ("A", "AB", "AX", "B", ""),
        ("AB", "B", "ABX", "", "A"),
        # The last one stays, whatever the metadata says.
        ("AB", "B", "A", "", ""),
        ("A", "", "A", "", ""),
    ],
)
def test_certificates_come_and_go_as_published(
    taken: str, seen: str, current: str, added: str, removed: str
) -> None:
    found = offer(published(*taken), published(*seen), published(*current))
    if not added and not removed:
        assert found is None
    else:
        assert found == Offer(changes=(), added=tuple(added), removed=tuple(removed))


def test_digest_names_everything_that_is_offered() -> None:
    change = Change(field="url", current="1", offered="2")
    whole = Offer(changes=(change,), added=("B",), removed=("A",))
    others = [
        Offer(changes=(), added=("B",), removed=("A",)),
        Offer(changes=(change,), added=("C",), removed=("A",)),
        Offer(changes=(change,), added=("B",), removed=()),
        Offer(changes=(change,), added=("A",), removed=("B",)),
        Offer(
            changes=(Change(field="url", current="0", offered="2"),), added=("B",), removed=("A",)
        ),
        Offer(
            changes=(Change(field="url", current="1", offered="3"),), added=("B",), removed=("A",)
        ),
    ]
    assert len({each.digest for each in [whole, *others]}) == 7
    assert whole.digest == Offer(changes=(change,), added=("B",), removed=("A",)).digest
    assert len(whole.digest) == 64


def test_acceptance_takes_what_was_offered_and_what_agrees_but_nothing_else() -> None:
    taken = published("A", entity="1", url="1", logout="1")
    seen = published("B", entity="2", url="1", logout="2")
    current = published("A", entity="1", url="by hand", logout="2")
    found = offer(taken, seen, current)
    assert found is not None
    assert [change.field for change in found.changes] == ["entity"]
    wanted = published("B", entity="2", logout="2")
    assert accepted(found, feed(taken, seen), current) == wanted
