"""The official Python SDK with the face that the wire tests give to both SDKs."""

import ssl
import typing
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from stytch import B2BClient
from stytch.core.response_base import StytchError
from stytch.shared.method_options import Authorization

from tests.wire import signatures
from tests.wire.sdk_error import SdkError


class PythonSdk:
    """A `stytch.B2BClient`; the authority it trusts is set on its own objects alone.

    The calls go through requests, the keys through urllib: each has its own way to be told.
    """

    def __init__(self, *, base_url: str, project_id: str, secret: str, ca_file: Path) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_file)
        self.client = B2BClient(
            project_id, secret, custom_base_url=base_url, sync_session=self._session
        )
        self.client.jwks_client.ssl_context = ssl.create_default_context(cafile=str(ca_file))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def call(
        self, method: str, fields: Mapping[str, Any], authorization: Mapping[str, str] | None
    ) -> dict[str, Any]:
        """Return what `client.<method>(**fields)` was answered, as far as the SDK knows it."""
        function = attrgetter(method)(self.client)
        options = {}
        if authorization is not None:
            wanted = typing.get_type_hints(function)[signatures.OPTIONS]
            (kind, _) = typing.get_args(wanted)
            options = {signatures.OPTIONS: kind(authorization=Authorization(**authorization))}
        try:
            answer = function(**fields, **options)
        except StytchError as error:
            raise _read_error(error) from error
        dumped: dict[str, Any] = answer.model_dump(mode="json", exclude_unset=True)
        return dumped


def _read_error(error: StytchError) -> SdkError:
    details = error.details
    return SdkError(
        str(error),
        kind=type(error).__name__,
        status_code=details.status_code,
        error_type=details.error_type,
        error_message=details.error_message,
        error_url=details.error_url,
        request_id=details.request_id,
    )
