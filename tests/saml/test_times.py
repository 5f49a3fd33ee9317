"""xs:dateTime."""

import pytest

from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.times import read_instant

NOON = 1_795_003_200_000_000  # 2026-11-18T12:00:00Z


@pytest.mark.case("SP-32")
@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-11-18T12:00:00Z", NOON),
        ("2026-11-18T12:00:00", NOON),
        ("2026-11-18T12:00:00.5Z", NOON + 500_000),
        ("2026-11-18T12:00:00.123456789Z", NOON + 123_456),
        ("2026-11-18T14:00:00+02:00", NOON),
        ("2026-11-18T06:30:00.000001-05:30", NOON + 1),
        ("2026-11-18T12:00:00+00:00", NOON),
        ("2026-11-18T12:59:00+00:59", NOON),
        ("2026-11-19T02:00:00+14:00", NOON),
        ("1970-01-01T00:00:00Z", 0),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59.9999999Z", 253_402_300_799_999_999),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
    ],
)
def test_read_instant_knows_the_shapes_identity_providers_send(written: str, instant: int) -> None:
    assert read_instant(written) == instant


@pytest.mark.case("SP-32", "SP-33")
@pytest.mark.parametrize(
    "written",
    [
        "",
        "2026-11-18",
        "2026-11-18 12:00:00Z",
        "2026-11-18T12:00Z",
        "2026-11-18T12:00:00z",
        "2026-11-18t12:00:00Z",
        " 2026-11-18T12:00:00Z",
        "2026-11-18T12:00:00Z\n",
        "2026-11-18T24:00:00Z",
        "2026-12-31T23:59:60Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "99999-01-01T00:00:00Z",
        "-2026-11-18T12:00:00Z",
        "+2026-11-18T12:00:00Z",
        "2026-11-18T12:00:00.Z",
        "2026-11-18T12:00:00.1234567890Z",
        "2026-11-18T12:00:00+0200",
        "2026-11-18T12:00:00+02",
        "2026-11-18T12:00:00+14:01",
        "2026-11-18T12:00:00+02:60",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "\uff12\uff10\uff12\uff16-11-18T12:00:00Z",
        "2026-11-18T12:00:0\u0660Z",
        "1" * 5000,
        "2026-11-18T12:00:00." + "1" * 5000 + "Z",
    ],
)
def test_read_instant_refuses_everything_else(written: str) -> None:
    with pytest.raises(SamlError) as refused:
        read_instant(written)
    assert refused.value.reason is Reason.SAML_TIME
    assert refused.value.expected == "an xs:dateTime"
