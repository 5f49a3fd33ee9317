"""What every remedy is, whichever protocol's refusal it ends."""

from vestibule.remedy import Remedy

SIDES = {"identity_provider", "vestibule", "user"}


def assert_one_sentence(found: Remedy) -> None:
    """Check that a remedy says to one side, in one plain sentence, what to do."""
    assert found.side in SIDES
    assert found.fix[0].isupper()
    assert found.fix.endswith(".")
    assert ". " not in found.fix
    assert 30 <= len(found.fix) <= 250
    assert found.fix.isascii()
