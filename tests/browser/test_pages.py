import re

import pytest

from tests.support.asgi import call
from tests.support.refusals import assert_safe
from tests.support.scenario import Scenario
from vestibule.errors import all_errors


async def test_the_errors_page_has_an_anchor_for_every_error_url(scenario: Scenario) -> None:
    answer = await call(scenario.app, "GET", "/errors")
    assert answer.status == 200
    assert_safe(answer)
    for error in all_errors():
        assert f'id="{error.name}"' in answer.text
    anchors = re.findall(r'id="(\w+)"', answer.text)
    assert len(anchors) == len(set(anchors))


@pytest.mark.parametrize("path", ["/errors", "/assets/vestibule.css"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_other_methods_are_refused(scenario: Scenario, path: str, method: str) -> None:
    answer = await call(scenario.app, method, path)
    assert answer.status == 405
    assert "GET" in answer.headers["allow"]
