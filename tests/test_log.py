import json
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
