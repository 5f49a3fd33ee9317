import string

import pytest

from vestibule import errors
from vestibule.domain import cursor
from vestibule.domain.context import Context
from vestibule.errors import Failure
from vestibule.records import Project

POSITION = ("organization-test-1", "member-test-1")


async def test_cursor_gives_back_its_position(context: Context, project: Project) -> None:
    text = cursor.write(context, project, "members", POSITION)
    assert cursor.read(context, project, "members", text) == POSITION
    assert "organization" not in text


def test_a_search_has_another_name_for_each_question() -> None:
    asked = ([["acme"], "AND", []], [["acme"], "OR", []], [["acme"], "AND", [["a"]]], [[], "AND"])
    names = {cursor.named("members", *each) for each in asked}
    names.add(cursor.named("organizations", *asked[0]))
    assert len(names) == 5
    assert cursor.named("members", *asked[0]) == cursor.named("members", ["acme"], "AND", [])


@pytest.mark.case("AD-22")
async def test_cursor_of_something_else_is_refused(context: Context, project: Project) -> None:
    text = cursor.write(context, project, "members", POSITION)
    other = Project(project_id="project-2", environment="test", name="", created_at=0)
    for search, asking in (("organizations", project), ("members", other)):
        with pytest.raises(Failure) as caught:
            cursor.read(context, asking, search, text)
        assert caught.value.error is errors.bad_request
        assert caught.value.message.startswith("cursor: ")


@pytest.mark.case("AD-22")
async def test_changed_cursor_is_refused_wherever_it_is_changed(
    context: Context, project: Project
) -> None:
    text = cursor.write(context, project, "members", POSITION)
    alphabet = string.ascii_letters + string.digits + "-_"
    changed = [text[:-1], text + "=", text + "A", text[1:], text + "\n", text.replace("=", "")]
    for index, old in enumerate(text):
        other = alphabet[(alphabet.find(old) + 1) % len(alphabet)]
        changed.append(text[:index] + other + text[index + 1 :])
    for each in set(changed) - {text}:
        with pytest.raises(Failure) as caught:
            cursor.read(context, project, "members", each)
        assert caught.value.error is errors.bad_request


@pytest.mark.case("AD-22")
@pytest.mark.parametrize("text", ["x", "ä", "\0", "AAAA", "A" * 400, "A" * 100_000, "null", "[]"])
async def test_text_that_is_no_cursor_is_refused(
    context: Context, project: Project, text: str
) -> None:
    with pytest.raises(Failure) as caught:
        cursor.read(context, project, "members", text)
    assert caught.value.error is errors.bad_request
