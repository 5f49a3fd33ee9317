"""Every case of the catalogue is proven by a test, and the table tells what that test asserts."""

from pathlib import Path

import pytest

from docs.cases import Proof, catalogued, proofs, proofs_of, read_module

# Cases that no test proves yet, each with what stands in the way.
MISSING: dict[str, str] = {
    "AD-28": "there is no admin portal",
    "AD-29": "there is no admin portal",
    "AD-35": "there is no SCIM",
    "AD-36": "there is no SCIM",
    "AD-37": "there is no SCIM",
    "AD-38": "there is no SCIM",
    "AD-39": "there is no SCIM",
    "AD-40": "there is no SCIM",
    "AD-41": "there is no SCIM",
    "AD-42": "there are no webhooks",
    "MF-16": "there are no magic links",
    "MF-17": "there are no magic links",
    "MF-18": "there are no passwords",
    "MF-19": "there are no passwords",
    "MF-20": "there are no passwords",
}

# Cases that a test proves in part, each with the part that none does.
IN_PART: dict[str, str] = {
    "AD-04": "a SCIM token: there are none yet",
    "AD-10": "a portal token and a SCIM bearer: there are none yet",
    "AD-13": "forms of an admin portal: there is none yet",
    "AD-14": "pages of an admin portal and of consent: there are none yet",
    "AD-15": "an admin portal, a list of sessions and SCIM: there are none yet",
    "AD-27": "behind a proxy that comes along: none does",
    "AD-48": "endpoints for health and metrics of the server: there are none yet",
}

HEAD = """
import pytest
from vestibule import errors
from vestibule.saml.errors import Reason

@pytest.mark.case("XP-01")
"""


def read(folder: Path, code: str) -> Proof:
    """The one proof in a test file that ends in this code."""
    file = folder / "test_it.py"
    file.write_text(HEAD + code)
    (found,) = proofs_of(read_module(file))
    return found


def test_every_case_of_the_catalogue_is_proven() -> None:
    proven = {each.case for each in proofs()}
    assert {case for case in catalogued() if case not in proven} == MISSING.keys()
    assert proven >= IN_PART.keys()


def test_every_proven_case_is_in_the_catalogue() -> None:
    families = {case.partition("-")[0] for case in catalogued()}
    proven = {each.case for each in proofs() if each.case.partition("-")[0] in families}
    assert families == {"AD", "MF", "MT", "OI", "SP", "SR", "ST", "XE", "XP", "XS"}
    assert proven <= set(catalogued())


@pytest.mark.parametrize(
    ("code", "verdicts", "reasons"),
    [
        ("def test_it(): refused(bad, Reason.XML_PI)", ("refused",), ("xml.pi",)),
        ("def test_it(): accepted(good)", ("accepted",), ()),
        (
            "def test_it():\n    accepted(good)\n    refused(bad, Reason.SIG_REF)",
            ("accepted", "refused"),
            ("sig.ref",),
        ),
        ("async def test_it(): assert trace.reason == 'saml.aud'", ("refused",), ("saml.aud",)),
        ("async def test_it(): assert trace.reason == 'http.size'", ("refused",), ("http.size",)),
        ("def test_it(): assert word == 'metadata'", ("holds",), ()),
        ("def test_it(): assert answer.status == 303", ("accepted",), ()),
        (
            "def test_it(): see(errors.invalid_saml_response)",
            ("refused",),
            ("invalid_saml_response",),
        ),
        (
            "def test_it(): see(errors.invalid_saml_response, 'saml.dest')",
            ("refused",),
            ("saml.dest",),
        ),
        (
            "async def test_it(): assert bad == (404, 'member_not_found')",
            ("refused",),
            ("member_not_found",),
        ),
        (
            "async def test_it(): assert bad == GONE\n\nGONE = (404, 'session_not_found')",
            ("refused",),
            ("session_not_found",),
        ),
        ("async def test_it(): assert word == 'unauthorized'", ("holds",), ()),
        (
            "def test_it(error: errors.ErrorType): see(errors.request_too_large)",
            ("refused",),
            ("bad_request",),
        ),
        (
            "@table([Reason.ENC, Reason.ENC_ALG])\ndef test_it(reason): refused(bad, reason)",
            ("refused",),
            ("enc", "enc.alg"),
        ),
        (
            "def test_it(): do()\n\ndef do(): refused(bad, BAD)\n\nBAD = [Reason.XML_NS]",
            ("refused",),
            ("xml.ns",),
        ),
    ],
)
def test_verdict_and_reason_are_read_from_the_test(
    tmp_path: Path, code: str, verdicts: tuple[str, ...], reasons: tuple[str, ...]
) -> None:
    found = read(tmp_path, code)
    assert (found.case, found.test) == ("XP-01", "test_it")
    assert (found.verdicts, found.reasons) == (verdicts, reasons)


def test_reasons_of_outbound_requests_are_read(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(
        "import pytest\nfrom vestibule.fetch import Reason\n\n"
        "@pytest.mark.case('SR-01')\n"
        "def test_it(): assert refused() in {Reason.ADDRESS, Reason.TLS, 'refused.url'}\n"
    )
    (found,) = proofs_of(read_module(file))
    assert (found.verdicts, found.reasons) == (
        ("refused",),
        ("refused.address", "refused.url", "tls"),
    )


def test_a_table_of_reasons_in_test_support_is_read(tmp_path: Path) -> None:
    code = "def test_it(): see(DOCUMENTS)\n\nDOCUMENTS = hostile_documents('')"
    (tmp_path / "test_it.py").write_text(
        f"from tests.support.hostile_xml import hostile_documents\n{HEAD}{code}"
    )
    (found,) = proofs_of(read_module(tmp_path / "test_it.py"))
    assert {"xml.doctype", "xml.depth"} <= set(found.reasons)


def test_a_mark_may_say_what_its_test_does_not(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    marks = "@pytest.mark.case('SP-01', 'SP-02', verdict='refused', reason='enc, sig.ref')\n"
    file.write_text(f"import pytest\n\n{marks}def test_it(): pass")
    found = list(proofs_of(read_module(file)))
    assert [each.case for each in found] == ["SP-01", "SP-02"]
    assert {(each.verdicts, each.reasons) for each in found} == {(("refused",), ("enc", "sig.ref"))}


def test_a_parameter_with_its_own_case_has_its_own_reason(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    parameters = ", ".join(
        f"pytest.param(Reason.{reason}, marks=pytest.mark.case('{case}'))"
        for case, reason in [("XP-01", "XML_PI"), ("XP-02", "XML_NS")]
    )
    file.write_text(
        "import pytest\nfrom vestibule.saml.errors import Reason\n\n"
        f"@pytest.mark.parametrize('reason', [{parameters}])\ndef test_it(reason): see(reason)"
    )
    found = {each.case: each.reasons for each in proofs_of(read_module(file))}
    assert found == {"XP-01": ("xml.pi",), "XP-02": ("xml.ns",)}
