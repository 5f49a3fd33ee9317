"""The endpoints that no SDK has, over plain https with the face that the SDKs are given."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import requests

from vestibule.api import groups
from vestibule.permissions import PublicToken


class PlainHttp:
    """Calls endpoints by their operation id and remembers every field that it was given."""

    def __init__(
        self, *, base_url: str, project_id: str, secret: str, public_token: str, ca_file: Path
    ) -> None:
        self.sent: defaultdict[str, set[str]] = defaultdict(set)
        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_file)
        self._backend = (project_id, secret)
        self._browser = (public_token, public_token)
        self._endpoints = {each.operation_id: each for each in groups.endpoints()}

    def call(self, method: str, **fields: Any) -> dict[str, Any]:
        """Return what the endpoint answered; it must be 200."""
        answer = self._answer(method, fields)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def refused(self, method: str, **fields: Any) -> tuple[int, str]:
        """Call what must be refused; return status and error type."""
        answer = self._answer(method, fields)
        assert answer.status_code != 200, answer.text
        return answer.status_code, answer.json()["error_type"]

    def parameters(self, method: str) -> frozenset[str]:
        """Return the request fields of the endpoint."""
        return frozenset(self._endpoints[method].request.__struct_fields__)

    def close(self) -> None:
        """Give up the connections."""
        self._session.close()

    def _answer(self, method: str, fields: dict[str, Any]) -> requests.Response:
        self.sent[method] |= fields.keys()
        endpoint = self._endpoints[method]
        left = {name: value for name, value in fields.items() if name not in endpoint.path_names}
        path = re.sub(r"{(\w+)}", lambda found: fields[found[1]], endpoint.path)
        reads = endpoint.method in {"GET", "DELETE"}
        return self._session.request(
            endpoint.method,
            f"{self._base_url}{path}",
            params=left if reads else None,
            json=None if reads else left,
            auth=self._browser if isinstance(endpoint.access, PublicToken) else self._backend,
            timeout=30,
        )
