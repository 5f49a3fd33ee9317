"""How checks and their verdicts are printed: step by step, and who has to act."""

from collections.abc import Iterator
from typing import Final

from vestibule.log import printable
from vestibule.records import TraceStep
from vestibule.saml.errors import Step

WIDTH: Final = 100
SIDES: Final = {
    "identity_provider": "the identity provider's administrator",
    "vestibule": "the administrator of the connection",
    "application": "whoever runs the application",
    "user": "the person who signs in",
}


def step_lines(step: Step | TraceStep) -> Iterator[str]:
    """Yield what was checked, what was wanted where there is a word for it, and what came."""
    yield f"{'ok' if step.passed else 'FAILED':<7} {step.name}"
    if step.expected:
        yield f"        wanted  {printable(step.expected)}"
    yield f"        got     {printable(step.received)}"
