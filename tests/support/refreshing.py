"""A token endpoint that gives out refresh tokens, each good once."""

import json
from typing import Any, Final
from urllib.parse import parse_qsl

from tests.support import oidc_documents
from tests.support.oidc_documents import ABSENT, SECOND
from tests.support.scenario import ISSUER, Scenario
from vestibule.fetch import FetchResponse

TOKEN_URL: Final = f"{ISSUER}/token"


class RefreshingProvider:
    """Takes the place of the scenario's token endpoint; `refreshed` changes the ID token then."""

    def __init__(self, scenario: Scenario) -> None:
        self.answer: dict[str, Any] = {"expires_in": 3600}
        self.refreshed: dict[str, Any] = {"nonce": ABSENT}
        self.without_id_token = False
        self.rotates = True
        self.gives_refresh_tokens = True
        self.status = 200
        self.refreshes: list[dict[str, str]] = []
        self._good: set[str] = set()
        self._made = 0
        self._scenario = scenario
        scenario.fetch.answers[TOKEN_URL] = self._token

    async def _token(self, _method: str, url: str, body: bytes) -> FetchResponse:
        form = dict(parse_qsl(body.decode(), strict_parsing=True))
        if form["grant_type"] == "refresh_token":
            return self._refresh(url, form)
        return self._answer(url, self._tokens(self._scenario.provider.claims, new=True))

    def _refresh(self, url: str, form: dict[str, str]) -> FetchResponse:
        self.refreshes.append(form)
        if self.status != 200:
            return self._answer(url, {"error": "temporarily_unavailable"}, status=self.status)
        if form["refresh_token"] not in self._good:
            return self._answer(url, {"error": "invalid_grant"}, status=400)
        if self.rotates:
            self._good.remove(form["refresh_token"])
        issued = self._scenario.clock.now() // SECOND
        current = {**self._scenario.provider.claims, "iat": issued, "exp": issued + 300}
        claims = oidc_documents.changed(current, self.refreshed)
        answer = self._tokens(claims, new=self.rotates)
        if self.without_id_token:
            del answer["id_token"]
        return self._answer(url, answer)

    def _tokens(self, claims: dict[str, Any], *, new: bool) -> dict[str, Any]:
        self._made += 1
        answer = {
            "access_token": f"access-{self._made}",
            "token_type": "Bearer",
            "id_token": oidc_documents.token(claims),
            **self.answer,
        }
        if new and self.gives_refresh_tokens:
            answer["refresh_token"] = f"refresh-{self._made}"
            self._good.add(answer["refresh_token"])
        return answer

    def _answer(self, url: str, document: dict[str, Any], *, status: int = 200) -> FetchResponse:
        headers = {"content-type": "application/json"}
        body = json.dumps(document).encode()
        return FetchResponse(status=status, headers=headers, body=body, url=url)
