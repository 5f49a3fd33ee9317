"""The official Node SDK, driven from Python: one Node process, one call at a time."""

import json
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.wire.sdk_error import SdkError

RUNNER = Path(__file__).parent / "node" / "runner.mjs"
STOP_SECONDS = 10.0
_DETAILS = ("status_code", "error_type", "error_message", "error_url", "request_id")


def _read_error(error: dict[str, Any]) -> SdkError:
    return SdkError(
        f"{error['class']}: {error['message']}",
        kind=error["class"],
        **{name: error.get(name) for name in _DETAILS},
    )


class NodeSdk:
    """A `stytch.B2BClient` in a Node process that lives as long as the `with` block.

    `base_url` must be https unless it is given to the SDK as its environment, which this does for
    plain http. `ca_file` is the PEM file of the authority that Node has to trust beside its own.
    Calls block: a test that serves from its own event loop makes them in a thread.
    """

    def __init__(
        self, *, base_url: str, project_id: str, secret: str, ca_file: Path | None = None
    ) -> None:
        option = "custom_base_url" if base_url.startswith("https://") else "env"
        self._configuration = {"project_id": project_id, "secret": secret, option: base_url}
        self._environment = dict(os.environ)
        if ca_file is not None:
            self._environment["NODE_EXTRA_CA_CERTS"] = str(ca_file)

    def __enter__(self) -> Self:
        node = shutil.which("node")
        if node is None:
            raise RuntimeError("no Node on this machine: scripts/tests.sh installs it")
        self._complaints = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [node, str(RUNNER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=self._environment,
        )
        self._write(self._configuration)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._complaints.close()

    def call(self, method: str, *args: dict[str, Any]) -> dict[str, Any]:
        """What `client.<method>(*args)` resolves to, e.g. `call("organizations.get", {...})`.

        Method names are the SDK's own, in camel case: "sso.saml.createConnection". The second
        argument, where the SDK takes one, is its options: {"authorization": {...}}.
        SdkError when the SDK throws, RuntimeError when the Node process itself ends.
        """
        self._write({"method": method, "args": args})
        answer = json.loads(self._read())
        if "error" in answer:
            raise _read_error(answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    def _write(self, message: object) -> None:
        if self._process.stdin is None:
            raise RuntimeError("not started")
        # A process that ended says why on its other pipe: _read tells.
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self) -> bytes:
        if self._process.stdout is None:
            raise RuntimeError("not started")
        line = self._process.stdout.readline()
        if not line:
            self._complaints.seek(0)
            words = self._complaints.read().decode(errors="replace")
            raise RuntimeError(f"the Node process ended:\n{words[-2000:]}")
        return line
