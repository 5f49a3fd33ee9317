import pytest
from starlette.requests import Request

from vestibule.dev.forms import FormError, line, read_form, read_query


def request(body: bytes, *, content_type: str = "application/x-www-form-urlencoded") -> Request:
    chunks = [body[start : start + 65536] for start in range(0, max(len(body), 1), 65536)]

    async def receive() -> dict[str, object]:
        chunk = chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    headers = [(b"content-type", content_type.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def query(text: bytes) -> Request:
    return Request({"type": "http", "method": "GET", "headers": [], "query_string": text})


async def test_form_is_read() -> None:
    form = await read_form(request(b"a=1&b=%C3%BC+x&c="))
    assert form == {"a": "1", "b": "ü x", "c": ""}


async def test_content_type_may_carry_parameters() -> None:
    kind = "Application/X-WWW-Form-Urlencoded; charset=utf-8"
    assert await read_form(request(b"a=1", content_type=kind)) == {"a": "1"}


def test_query_is_read() -> None:
    assert read_query(query(b"a=%E2%82%AC")) == {"a": "€"}


@pytest.mark.parametrize(
    ("body", "content_type", "words"),
    [
        (b"{}", "application/json", "The body is not"),
        (b"a=1", "", "The body is not"),
        (b"a=" + b"x" * 512 * 1024, "application/x-www-form-urlencoded", "larger than 524288"),
        (b"a=1&a=2", "application/x-www-form-urlencoded", "stands there twice"),
        (b"a=%FF", "application/x-www-form-urlencoded", "not readable as UTF-8"),
        (b"&".join([b"a=1"] * 51), "application/x-www-form-urlencoded", "too many"),
    ],
)
async def test_form_that_breaks_a_rule_is_refused(
    body: bytes, content_type: str, words: str
) -> None:
    with pytest.raises(FormError, match=words):
        await read_form(request(body, content_type=content_type))


async def test_largest_form_is_read() -> None:
    form = await read_form(request(b"a=" + b"x" * (512 * 1024 - 2)))
    assert len(form["a"]) == 512 * 1024 - 2


def test_line_is_stripped_and_may_be_absent() -> None:
    assert line({"a": "  x y "}, "a") == "x y"
    assert line({}, "a") == ""


@pytest.mark.parametrize("letter", ["\x00", "\x1f", "\x7f", "\n", "\ud800", "\ufffe", "\uffff"])
def test_line_holds_no_letter_that_xml_cannot_carry(letter: str) -> None:
    with pytest.raises(FormError, match="name holds a control character"):
        line({"name": f"a{letter}b"}, "name")


def test_line_is_bounded() -> None:
    assert line({"name": "x" * 500}, "name") == "x" * 500
    with pytest.raises(FormError, match="longer than 500 characters"):
        line({"name": "x" * 501}, "name")
