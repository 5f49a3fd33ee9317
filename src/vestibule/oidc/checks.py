"""The list of checks as they pass, so that a trace shows how far a token came."""

from vestibule.oidc.errors import OidcError, Reason, Step, shown


class Checks:
    """Collects steps; the first check that fails raises OidcError with all of them."""

    def __init__(self) -> None:
        self._steps: list[Step] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """The checks that passed, in order."""
        return tuple(self._steps)

    def passed(self, name: str, *, expected: str, received: object) -> None:
        """Record a check that was made elsewhere."""
        self._steps.append(Step(name, shown(expected), shown(received), passed=True))

    def require(
        self, name: str, *, good: bool, reason: Reason, expected: str, received: object
    ) -> None:
        """Record the check, or raise OidcError(reason) when it is not `good`."""
        if not good:
            raise OidcError(reason, expected=expected, received=shown(received), steps=self.steps)
        self.passed(name, expected=expected, received=received)
