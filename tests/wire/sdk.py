"""One face for both official SDKs, which remembers every field that it was given."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from tests.wire import signatures
from tests.wire.node_sdk import NodeSdk
from tests.wire.python_sdk import PythonSdk
from tests.wire.sdk_error import SdkError


class Sdk:
    """Methods have the Python SDK's names; answers are what the wire carried, as JSON."""

    def __init__(self, made: PythonSdk | NodeSdk) -> None:
        self.name = "python" if isinstance(made, PythonSdk) else "node"
        self.sent: defaultdict[str, set[str]] = defaultdict(set)
        self._made = made

    def call(
        self, method: str, authorization: Mapping[str, str] | None = None, /, **fields: Any
    ) -> dict[str, Any]:
        """Call a method; with `authorization` on behalf of the member of that session.

        Raises SdkError when the server refuses.
        """
        self.sent[method] |= fields.keys()
        if isinstance(self._made, PythonSdk):
            return self._made.call(method, fields, authorization)
        arguments = [fields] if fields or authorization else []
        if authorization is not None:
            arguments.append({"authorization": dict(authorization)})
        return self._made.call(signatures.node_method(method), *arguments)

    def refused(
        self, method: str, authorization: Mapping[str, str] | None = None, /, **fields: Any
    ) -> tuple[int | None, str | None]:
        """Call what must be refused; return status and error type."""
        try:
            answer = self.call(method, authorization, **fields)
        except SdkError as error:
            return error.status_code, error.error_type
        raise AssertionError(f"{method} was answered: {answer}")

    def parameters(self, method: str) -> frozenset[str]:
        """Return the request fields that this SDK has for the method."""
        if isinstance(self._made, PythonSdk):
            return signatures.python_parameters(self._made.client, method)
        return signatures.node_parameters(method)

    def takes_member(self, method: str) -> bool:
        """Tell whether the method can be called on behalf of a member."""
        if isinstance(self._made, PythonSdk):
            return signatures.python_takes_member(self._made.client, method)
        return signatures.node_takes_member(method)
