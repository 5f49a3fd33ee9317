"""What hostile XML costs until it is refused: the slowest documents, beside honest ones.

CPU time, the median of some calls. A document is compared with a good Response of its size, which
is verified and read. None may cost more than twice as much, nor more than 20 ms, even when it was
made to keep one step busy.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Final

from tests.support.hostile_xml import hostile_documents, inside
from tests.support.saml_documents import NOW, document, expectation, octets, response_element
from vestibule.saml.assertion import MAX_VALUES
from vestibule.saml.errors import Reason, SamlError
from vestibule.saml.response import verify_response
from vestibule.saml.xml import MAX_ATTRIBUTES, MAX_BYTES, MAX_NAMESPACES, MAX_NODES

CALLS: Final = 15
MAX_RATIO: Final = 2.0
MAX_MICROSECONDS: Final = 20_000
_SHOWN: Final = 8
_EXPECTATION: Final = expectation()
# Bytes of a good Response without groups, and of a group.
_ALONE: Final = 2_900
_GROUP: Final = len("<saml:AttributeValue>group 0000</saml:AttributeValue>")


def report() -> bool:
    """Print the slowest hostile documents; return whether all stay within their limits."""
    good = octets(document()).decode()
    cases = hostile_documents(good) | heavy_documents(good)
    found = sorted((_measure(name, *case) for name, case in cases.items()), reverse=True)
    sys.stdout.write(f"\nhostile XML until it is refused, the slowest of {len(found)}:\n")
    for taken, ratio, size, name in found[:_SHOWN]:
        sys.stdout.write(f"  {name:<28} {taken:8.0f} us  {ratio:7.2f} x honest  {size:6} bytes\n")
    slowest = max(taken for taken, *_ in found)
    worst = max(ratio for _, ratio, *_ in found)
    sys.stdout.write(f"  at most {slowest / 1000:.1f} ms and {worst:.2f} x honest\n")
    return slowest <= MAX_MICROSECONDS and worst <= MAX_RATIO


def heavy_documents(good: str) -> dict[str, tuple[bytes, Reason]]:
    """Documents about as large as they may be, each to keep one step of the parser busy."""
    room = MAX_BYTES - len(good)
    full = "<x/>" * (MAX_NODES - 100)
    many = " ".join(f'xmlns:n{number}="u:{number}"' for number in range(MAX_NAMESPACES + 1))
    odd = " ".join(f"xmlns:n{number}='u:{number}'" for number in range(150))
    own = "<x xmlns:a='u:a' xmlns:b='u:b'/>"
    most_around = " ".join(f'xmlns:n{number}="u:{number}"' for number in range(40))
    wide = _element(900)
    most = _element(MAX_ATTRIBUTES) * (5_900 // MAX_ATTRIBUTES)
    ids = "".join(f'<x ID="_{number}"/>' for number in range(4_000))
    contents = {
        "depth that is parsed": ("<x>" * 200 + "</x>" * 200, Reason.XML_DEPTH),
        "attributes": (wide * (room // len(wide)), Reason.XML_ATTRS),
        "wide elements": (wide * 6, Reason.XML_ATTRS),
        "elements just so wide": (f"{most}<x xmlns='u'/>", Reason.XML_NS),
        "declarations": (f"<x {many}>{full}</x>", Reason.XML_NS),
        "odd declarations": (f"<x {odd}>{full}<x xmlns='u'/></x>", Reason.XML_NS),
        "declarations in a row": (f"{own * 1_080}<x xmlns='u'/>", Reason.XML_NS),
        "declarations over others": (f"<x {most_around}>" * 6 + full + "</x>" * 6, Reason.XML_NS),
        "comments": ("<!---->" * 11_800 + "<x xmlns='u'/>", Reason.XML_NS),
        "elements": ("<x/>" * MAX_NODES, Reason.XML_NODES),
        "references": ("&#65;" * (room // 5 - 10) + "&#0;", Reason.XML),
        "IDs": (f'{ids}<x ID="_7"/>', Reason.XML_ID),
        "text": ("x" * (room - 10) + "<x>", Reason.XML),
    }
    return {
        f"heavy: {name}": (inside(good, content).encode(), reason)
        for name, (content, reason) in contents.items()
    }


def _element(attributes: int) -> str:
    return "<x " + " ".join(f"a{number}=''" for number in range(attributes)) + "/>"


def _measure(name: str, data: bytes, reason: Reason) -> tuple[float, float, int, str]:
    taken = _cost(lambda: _refuse(data, reason))
    return taken, taken / _honest_cost(len(data)), len(data), name


def _honest_cost(size: int) -> float:
    """The cost of a good Response of about `size` bytes: a person in so many groups."""
    room = max(size - _ALONE, 0)
    groups = min(room // _GROUP, MAX_VALUES)
    longer = "x" * (room // max(groups, 1) - _GROUP)
    names = [f"group {number:04}{longer}" for number in range(groups)]
    data = octets(document(root=response_element(attributes={"groups": names})))
    return _cost(lambda: verify_response(data, _EXPECTATION, now=NOW))


def _refuse(data: bytes, reason: Reason) -> None:
    try:
        verify_response(data, _EXPECTATION, now=NOW)
    except SamlError as error:
        if error.reason is not reason:
            raise
    else:
        raise AssertionError("a hostile document was accepted")


def _cost(run: Callable[[], object]) -> float:
    run()
    taken = []
    for _ in range(CALLS):
        began = time.process_time_ns()
        run()
        taken.append((time.process_time_ns() - began) / 1000)
    return statistics.median(taken)
