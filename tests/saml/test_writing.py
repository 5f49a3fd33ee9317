"""Elements of our own documents."""

import pytest
from lxml import etree

from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.writing import append, start


def test_elements_are_written_with_the_prefixes_of_the_root() -> None:
    root = start("{urn:a}Root", {"ID": "_1"}, prefixes={"a": "urn:a", "b": "urn:b"})
    append(append(root, "{urn:b}Child", {"Name": "x"}), "{urn:a}Leaf", text="<&>")
    assert etree.tostring(root) == (
        b'<a:Root xmlns:a="urn:a" xmlns:b="urn:b" ID="_1">'
        b'<b:Child Name="x"><a:Leaf>&lt;&amp;&gt;</a:Leaf></b:Child></a:Root>'
    )


@pytest.mark.parametrize("value", ["\x00", "a\x1fb", "\ufffe", "\ud800"])
def test_a_character_that_xml_cannot_hold_is_refused(value: str) -> None:
    root = start("{urn:a}Root", {}, prefixes={"a": "urn:a"})
    for attributes, text in (({"Name": value}, None), ({}, value)):
        with pytest.raises(SamlError) as refused:
            append(root, "{urn:a}Child", attributes, text=text)
        assert refused.value.reason is Reason.XML
        assert refused.value.received == "a control character"
