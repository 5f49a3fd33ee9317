"""The parser: what it returns. What it refuses stands in tests/attacks/test_saml_xml.py."""

import pytest
from lxml import etree

from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.xml import (
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_IDS,
    MAX_NAMESPACES,
    MAX_NODES,
    SMALL,
    children,
    children_by_tag,
    detach,
    identifiers,
    local_name,
    parse,
    parse_document,
    text,
)


def refusal(data: bytes, max_namespaces: int = MAX_NAMESPACES) -> Reason:
    with pytest.raises(SamlError) as caught:
        parse(data, max_namespaces=max_namespaces)
    return caught.value.reason


def test_parse_joins_what_comments_and_cdata_split() -> None:
    root = parse(
        b"<!--0--><a>1<!--2-->3<![CDATA[<4>]]><!--5--><b/>6<!--7--><!--8-->9<c/></a><!---->"
    )
    assert (root.text, root[0].tail) == ("13<4>", "69")
    assert [child.tag for child in root] == ["b", "c"]


def test_parse_document_keeps_the_elements_in_order() -> None:
    document = parse_document(b"<a><b><c/></b><!-- x --><d/></a>")
    assert [element.tag for element in document.elements] == ["a", "b", "c", "d"]
    assert document.elements[0] is document.root


def test_limits_are_reached_exactly() -> None:
    deep = b"<a>" * MAX_DEPTH + b"</a>" * MAX_DEPTH
    assert local_name(parse(deep)) == "a"
    assert refusal(b"<r>" + deep + b"</r>") is Reason.XML_DEPTH
    wide = b"<a>" + b"<b/>" * (MAX_NODES - 1) + b"</a>"
    assert len(parse(wide)) == MAX_NODES - 1
    assert refusal(b"<r>" + wide + b"</r>") is Reason.XML_NODES
    attributes = " ".join(f"a{number}=''" for number in range(MAX_ATTRIBUTES))
    assert len(parse(f"<a {attributes}/>".encode()).attrib) == MAX_ATTRIBUTES
    assert refusal(f"<a {attributes} b=''/>".encode()) is Reason.XML_ATTRS


def declarations(count: int, quote: str) -> bytes:
    inside = " ".join(f"xmlns:n{number}={quote}urn:{number}{quote}" for number in range(count))
    return f"<a {inside}/>".encode()


@pytest.mark.parametrize("quote", ['"', "'"])
def test_namespace_limit_whatever_the_quotes(quote: str) -> None:
    assert local_name(parse(declarations(MAX_NAMESPACES, quote))) == "a"
    assert refusal(declarations(MAX_NAMESPACES + 1, quote)) is Reason.XML_NS
    assert local_name(parse(declarations(350, quote), max_namespaces=400)) == "a"
    large = declarations(2_201, quote) + b" " * SMALL
    assert refusal(large, 5_000) is Reason.XML_NS


def test_namespace_limit_is_of_what_holds_in_one_place() -> None:
    one = "<b xmlns:n='urn:n' xmlns:m='urn:m'>x</b>"
    assert len(parse(f"<a>{one * 300}</a>".encode())) == 300
    seven = " ".join(f"xmlns:n{number}='urn:{number}'" for number in range(7))
    nested = f"<b {seven}>" * 29 + "</b>" * 29
    assert refusal(f"<a>{nested}</a>".encode()) is Reason.XML_NS


@pytest.mark.parametrize(
    ("data", "fine"),
    [
        (b'<a xmlns="urn:x"/>', True),
        (b"<a xmlns = 'urn:x'/>", True),
        (b'<a xmlns:p="http://x.test/y?z=1#w"/>', True),
        (b'<a xmlns:p="http://x.test/&amp;"/>', True),
        (b'<a>xmlns xmlns="1"</a>', True),
        (b"<a b='xmlns=\"urn:x\" xmlns'/>", True),
        (b'<a xmlns="x"/>', False),
        (b"<a xmlns='x'/>", False),
        (b'<a xmlns="urn:x"><b xmlns=""/></a>', False),
        (b'<a xmlns="urn:x"><b xmlns:p="&#x75;rn"/></a>', False),
        (b'<a xmlns="&#x75;rn:x"/>', True),
        (b'<a b=\'xmlns="urn:x"\' xmlns="y"/>', False),
        (b'<a xmlns="//x.test"/>', False),
        (b'<a xmlns="urn:"/>', False),
    ],
)
def test_namespaces_are_absolute_however_they_are_written(data: bytes, fine: bool) -> None:
    if fine:
        assert local_name(parse(data)) == "a"
    else:
        assert refusal(data) is Reason.XML_NS


def test_ids_are_few() -> None:
    def holding(count: int) -> bytes:
        return b"<a>" + b"".join(b'<b ID="_%d"/>' % number for number in range(count)) + b"</a>"

    assert len(parse_document(holding(MAX_IDS)).identifiers) == MAX_IDS
    assert refusal(holding(MAX_IDS + 1)) is Reason.XML_ID


@pytest.mark.parametrize("written", ['{}="x"', "{}='x'", '{} =\n"x"', "{}=\t'x'"])
def test_attributes_are_counted_however_they_are_written(written: str) -> None:
    element = f"<b {' '.join(written.format(f'a{number}') for number in range(60))}/>"
    assert len(parse(f"<a>{element * 100}</a>".encode())) == 100
    assert refusal(f"<a>{element * 101}</a>".encode()) is Reason.XML_ATTRS


def test_many_equals_signs_are_fine_in_text_of_several_elements() -> None:
    data = b"<a>" + b"<b>====================</b>" * 600 + b"</a>"
    assert len(parse(data)) == 600


def test_identifiers_of_any_namespace_and_case() -> None:
    root = parse(
        b'<a ID="_1" Name="x" xmlns:p="urn:p"><b xml:id="_2" p:Id="_3" grid="no id" Valid="-"/>'
        b'<c id="_4" AssertionID="_5" iD="_6"/></a>'
    )
    assert identifiers(list(root.iter())) == ["_1", "_2", "_3", "_4", "_5", "_6"]


def test_text_and_names() -> None:
    root = parse(b'<p:a xmlns:p="urn:p">t<b>u</b><p:b/><b/></p:a>')
    assert (local_name(root), local_name(root[0])) == ("a", "b")
    assert [text(element) for element in root] == ["u", "", ""]
    assert children(root, "b") == [root[0], root[2]]
    assert children_by_tag(root) == {"b": [root[0], root[2]], "{urn:p}b": [root[1]]}
    with pytest.raises(SamlError) as caught:
        text(root)
    assert caught.value.reason is Reason.XML_MIXED


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b"<a>1<x>2</x>3<b/>4</a>", b"<a>13<b/>4</a>"),
        (b"<a><x/>3</a>", b"<a>3</a>"),
        (b"<a>1<b/>2<x/>3</a>", b"<a>1<b/>23</a>"),
        (b"<a>1<b/><x/>3</a>", b"<a>1<b/>3</a>"),
        (b"<a>1<b/>2<x/></a>", b"<a>1<b/>2</a>"),
    ],
)
def test_detach_keeps_the_text_behind(data: bytes, left: bytes) -> None:
    root = parse(data)
    detach(children(root, "x")[0])
    assert etree.tostring(root) == left


def test_detach_of_a_root() -> None:
    with pytest.raises(ValueError, match="root"):
        detach(parse(b"<a/>"))
