"""The application's side of the API: JSON over HTTP with Basic credentials, nothing else."""

import base64
import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp

from vestibule.dev.credentials import Credentials

_TIMEOUT: Final = aiohttp.ClientTimeout(total=15)


class ApiError(Exception):
    """The API said no, or could not be understood. `status` is 0 when it could not be reached."""

    def __init__(self, *, status: int, error_type: str, message: str, request_id: str = "") -> None:
        super().__init__(f"{status} {error_type}: {message}")
        self.status = status
        self.error_type = error_type
        self.message = message
        self.request_id = request_id


def open_session(ca_file: Path | None = None, **options: Any) -> aiohttp.ClientSession:
    """Return an HTTP session that trusts `ca_file` (PEM) and, without one, the machine's list.

    It reads neither proxies nor passwords from the environment. The caller closes it.
    """
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    connector = aiohttp.TCPConnector(ssl=context)
    return aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, trust_env=False, **options)


class Client:
    """Calls the API of the server at `base_url` as the project of `credentials`."""

    def __init__(
        self, http: aiohttp.ClientSession, *, base_url: str, credentials: Credentials
    ) -> None:
        self._http = http
        self._base_url = base_url
        pair = f"{credentials.project_id}:{credentials.secret}".encode()
        self._headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()}

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the JSON object that answers `method path`, or raise ApiError."""
        try:
            async with self._http.request(
                method,
                self._base_url + path,
                json=body,
                headers=self._headers,
                allow_redirects=False,
            ) as response:
                return _read(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            message = f"{self._base_url} does not answer ({type(error).__name__})"
            raise ApiError(status=0, error_type="unreachable", message=message) from error


def _read(status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ApiError(status=status, error_type="not_json", message="the answer is no JSON object")
    if status != 200:
        raise ApiError(
            status=status,
            error_type=str(answer.get("error_type", "unknown")),
            message=str(answer.get("error_message", "")),
            request_id=str(answer.get("request_id", "")),
        )
    return answer
