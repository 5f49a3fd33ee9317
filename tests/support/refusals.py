"""What has to be true of every refused sign-in, whatever was wrong with it (security.md section 0).

One failed trace with its reason, one plain page with the trace's id and none of the answer's
content, safe headers; no member, no session, no token, and the sign-in still to be used.
"""

from dataclasses import dataclass
from typing import Any

from markupsafe import escape

from tests.support.asgi import Answer
from tests.support.scenario import Scenario
from vestibule.errors import ErrorType
from vestibule.records import Trace

SAFE_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Left:
    """How many rows sign-ins have left behind."""

    members: int = 0
    registrations: int = 0
    sessions: int = 0
    intermediate_sessions: int = 0
    sso_tokens: int = 0
    replays: int = 0
    consumed_sign_ins: int = 0


async def left(scenario: Scenario) -> Left:
    """Count what there is now in the scenario's project."""
    project = {"project_id": scenario.project.project_id}
    async with scenario.context.store.read() as tx:
        return Left(
            members=await tx.members.count(**project),
            registrations=await tx.registrations.count(**project),
            sessions=await tx.sessions.count(**project),
            intermediate_sessions=await tx.intermediate_sessions.count(**project),
            sso_tokens=await tx.sso_tokens.count(**project),
            replays=await tx.replays.count(**project),
            consumed_sign_ins=await tx.sign_ins.count(**project, consumed_at__gt=0),
        )


async def traces(scenario: Scenario, **where: Any) -> list[Trace]:
    """Return the project's traces, oldest first."""
    async with scenario.context.store.read() as tx:
        return await tx.traces.all(
            project_id=scenario.project.project_id, order="created_at", **where
        )


def assert_safe(answer: Answer) -> None:
    """Check the headers that each of our pages and redirects carries."""
    for name, value in SAFE_HEADERS.items():
        assert answer.headers.get(name) == value, name
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert ("form-action 'none'" in policy) == ("<form" not in answer.text)


def assert_page(answer: Answer, error: ErrorType, message: str = "") -> None:
    """Check the plain page of a refusal, with the error's own message or another."""
    assert answer.status == error.status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert escape(message or error.message) in answer.text
    assert f"<code>{error.name}</code>" in answer.text
    assert "request-id-test-" in answer.text
    assert_safe(answer)
    assert "location" not in answer.headers


async def assert_refused(
    scenario: Scenario,
    answer: Answer,
    *,
    error: ErrorType,
    reason: str,
    message: str = "",
    before: Left | None = None,
    traces_before: int = 0,
) -> Trace:
    """Check that this answer is a refusal with this reason, that nothing was left, and its trace.

    `before` is what there was before the answer; by default nothing at all.
    """
    assert_page(answer, error, message)
    found = await traces(scenario)
    assert len(found) == traces_before + 1, [trace.reason for trace in found]
    (trace,) = (each for each in found if each.trace_id in answer.text)
    assert (trace.outcome, trace.reason, trace.error_type) == ("failed", reason, error.name), (
        trace.steps
    )
    assert trace.steps
    assert [step.passed for step in trace.steps].count(False) == 1
    assert trace.side in {"identity_provider", "vestibule", "application", "user"}
    assert await left(scenario) == (before or Left())
    return trace
