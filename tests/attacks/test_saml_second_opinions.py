"""Whatever we accept, xmlsec and signxml accept too; `make fuzz` tries far more of it."""

import pytest

from tests.support.saml_differential import accepted_is_signed

EXAMPLES = 1_200


@pytest.mark.case("XS-72", "XS-73", verdict="accepted, refused")
def test_xs_72_73_what_is_accepted_two_other_engines_accept_and_read_alike() -> None:
    seen = accepted_is_signed(examples=EXAMPLES, seed_number=73)
    assert seen.total() >= EXAMPLES
    assert seen["accepted"] > EXAMPLES // 50
    assert {"xml", "sig", "saml"} <= seen.keys()
