"""Hostile and broken XML documents, made out of any good one, with the reason to refuse each."""

import gzip
from base64 import b64encode

from vestibule.saml.errors import Reason
from vestibule.saml.xml import MAX_BYTES

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
_NESTED = "<x>" * 41 + "</x>" * 41
_PREFIXES = " ".join(f'xmlns:n{n}="urn:n{n}"' for n in range(401))
_PLENTY = " ".join(f'a{n}="x"' for n in range(65))


def inside(good: str, content: str) -> str:
    """The document with something more as the first content of its root."""
    head, end, tail = good.partition(">")
    return f"{head}{end}{content}{tail}"


def hostile_documents(good: str) -> dict[str, tuple[bytes, Reason]]:
    """Bytes and the reason why they are no document, by the case they come from.

    `good` has no prolog, and its root has children and no ID `_twice`.
    """
    return _with_document_type(good) | _outside_the_limits(good) | _malformed(good)


def _with_document_type(good: str) -> dict[str, tuple[bytes, Reason]]:
    quadratic = "&e;" * 1000
    documents = {
        "XP-01": "<!DOCTYPE r>" + good,
        "XP-02": '<!DOCTYPE r [<!ENTITY e "x">]>' + good,
        "XP-03": '<!DOCTYPE r [<!ENTITY e "">]>' + inside(good, "<x>&e;</x>"),
        "XP-04": '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        + inside(good, "<x>&e;</x>"),
        "XP-07": f'<!DOCTYPE r [<!ENTITY l0 "ha">{_LAUGHS}]>' + inside(good, "<x>&l9;</x>"),
        "XP-08": f'<!DOCTYPE r [<!ENTITY e "{"x" * 50_000}">]>'
        + inside(good, f"<x>{quadratic}</x>"),
        "XP-09": '<!DOCTYPE r [<!ATTLIST x ID CDATA "_x">]>' + good,
        "XP-10": "<!DOCTYPE r [<!ATTLIST x y ID #IMPLIED>]>" + good,
        "XP-11": "<!DOCTYPE response SYSTEM 'x\"><!--'>" + good,
        "XP-11 comment first": "<!-- x --><!DOCTYPE r>" + good,
    }
    return {name: (text.encode(), Reason.XML_DOCTYPE) for name, text in documents.items()}


def _outside_the_limits(good: str) -> dict[str, tuple[bytes, Reason]]:
    padding = b" " * (MAX_BYTES + 1 - len(good))
    return {
        "XP-22 depth": (inside(good, _NESTED).encode(), Reason.XML_DEPTH),
        "XP-22 deep": (inside(good, "<x>" * 3000 + "</x>" * 3000).encode(), Reason.XML_DEPTH),
        "XP-23 size": (good.encode() + padding, Reason.XML_SIZE),
        "XP-25 attributes": (inside(good, f"<x {_PLENTY}/>").encode(), Reason.XML_ATTRS),
        "XP-25b namespaces": (inside(good, f"<x {_PREFIXES}/>").encode(), Reason.XML_NS),
        "XP-26 elements": (inside(good, "<x/>" * 12_001).encode(), Reason.XML_NODES),
        "XP-27 nodes": (inside(good, "<x/>" * 5_001).encode(), Reason.XML_NODES),
    }


def _malformed(good: str) -> dict[str, tuple[bytes, Reason]]:
    utf_7 = b'<?xml version="1.0" encoding="UTF-7"?>' + good.encode()
    latin_1 = '<?xml version="1.0" encoding="ISO-8859-1"?>' + inside(good, "<x>\u00e9</x>")
    surrogate = inside(good, "<x>\ud800</x>").encode(errors="surrogatepass")
    twice = inside(good, '<x ID="_twice"><x Id="_twice"/></x>').encode()
    return {
        "XP-13 relative namespace": (inside(good, '<x xmlns:n="1"/>').encode(), Reason.XML_NS),
        "XP-19 instruction": (inside(good, "<?p admin?>").encode(), Reason.XML_PI),
        "XP-20 instruction behind": ((good + "<?p?>").encode(), Reason.XML_PI),
        "XP-28 utf-16": (good.encode("utf-16"), Reason.XML_ENCODING),
        "XP-28 utf-7": (utf_7, Reason.XML_ENCODING),
        "XP-29 latin-1": (latin_1.encode("latin-1"), Reason.XML_ENCODING),
        "XP-30 overlong": (good.encode() + b"\xc0\xbc", Reason.XML_ENCODING),
        "XP-30 surrogate": (surrogate, Reason.XML_ENCODING),
        "XP-31 nul": (inside(good, "<x>\x00</x>").encode(), Reason.XML),
        "XP-31 reference": (inside(good, "<x>&#0;</x>").encode(), Reason.XML),
        "XP-31b prefix": (inside(good, "<nope:x/>").encode(), Reason.XML),
        "XP-31b attribute": (inside(good, '<x a="1" a="2"/>').encode(), Reason.XML),
        "XP-32 two roots": ((good + good).encode(), Reason.XML),
        "XP-35 same id": (twice, Reason.XML_ID),
        "XP-37 odd id": (inside(good, '<x ID="a\'] or //*["/>').encode(), Reason.XML_ID),
        "XP-38 empty id": (inside(good, '<x ID=""/>').encode(), Reason.SAML_ID),
        "XP-40 base64": (b64encode(good.encode()), Reason.XML),
        "html": (b"<!doctype html><html><body>Log in</body></html>", Reason.XML),
        "json": (b'{"entityID": "https://idp.example.com"}', Reason.XML),
        "empty": (b"", Reason.XML),
        "gzip": (gzip.compress(good.encode(), mtime=0), Reason.XML_ENCODING),
    }
