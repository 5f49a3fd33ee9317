"""One real server, and the two official SDKs that talk to it over https."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.browsing import Door
from tests.support.server_process import developing, run_to_end
from tests.wire import connections
from tests.wire.node_sdk import NodeSdk
from tests.wire.plain_http import PlainHttp
from tests.wire.python_sdk import PythonSdk
from tests.wire.sdk import Sdk
from vestibule.api import groups
from vestibule.store.interface import Store
from vestibule.store.open import open_store

_numbers = count(1)
Operator = Callable[..., str]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "drives(*methods): the SDK methods that this test calls with every field they have",
    )


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the server's data are in."""
    return tmp_path_factory.mktemp("wire")


@pytest.fixture(scope="session")
def places(server_folder: Path) -> Iterator[dict[str, Any]]:
    """Run `vestibule dev --tls`; give what it says about itself."""
    with developing(server_folder, tls=True) as (_, said):
        yield said


@pytest.fixture
def operator(server_folder: Path, places: dict[str, Any]) -> Operator:
    """Give what an operator types beside the server: the words go to `vestibule`."""
    data = server_folder / "data"
    environ = {
        "VESTIBULE_DATABASE": f"sqlite:{data / 'vestibule.db'}",
        "VESTIBULE_MASTER_KEY_FILE": str(data / "master.key"),
    }

    def run(*words: str) -> str:
        status, said = run_to_end(list(words), folder=server_folder, environ=environ)
        assert status == 0, said
        return said

    assert places["project_id"]
    return run


@pytest.fixture
async def server_store(server_folder: Path, places: dict[str, Any]) -> AsyncIterator[Store]:
    """Return the running server's database, for what no endpoint can bring about yet."""
    assert places["base_url"]
    opened = await open_store(f"sqlite:{server_folder}/data/vestibule.db", connections=1)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def door(places: dict[str, Any]) -> Door:
    base_url = places["base_url"]
    return Door(
        base_url=base_url,
        public_token=places["public_token"],
        application_url=f"{base_url}/dev/app/callback",
        ca_file=Path(places["ca_file"]),
    )


@pytest.fixture(scope="session")
def credentials(places: dict[str, Any]) -> dict[str, Any]:
    """Return what either SDK is made with."""
    given = {name: places[name] for name in ("base_url", "project_id", "secret")}
    return {**given, "ca_file": Path(places["ca_file"])}


@pytest.fixture(scope="session")
def python_sdk(credentials: dict[str, Any]) -> Iterator[PythonSdk]:
    with PythonSdk(**credentials) as made:
        yield made


@pytest.fixture(scope="session")
def node_sdk(credentials: dict[str, Any]) -> Iterator[NodeSdk]:
    with NodeSdk(**credentials) as made:
        yield made


@pytest.fixture(params=["python", "node"])
def sdk(request: pytest.FixtureRequest) -> Iterator[Sdk]:
    """Give one SDK after the other; afterwards see that the fields were sent that a mark claims."""
    made = Sdk(request.getfixturevalue(f"{request.param}_sdk"))
    yield made
    _see_all_sent(request, made, own=False)


@pytest.fixture
def plain(
    request: pytest.FixtureRequest, credentials: dict[str, Any], places: dict[str, Any]
) -> Iterator[PlainHttp]:
    """Give plain https, for the endpoints that no SDK has; afterwards look at the fields too."""
    made = PlainHttp(**credentials, public_token=places["public_token"])
    yield made
    made.close()
    _see_all_sent(request, made, own=True)


def _see_all_sent(request: pytest.FixtureRequest, made: Sdk | PlainHttp, *, own: bool) -> None:
    mine = {each.operation_id for each in groups.endpoints() if each.own == own}
    for mark in request.node.iter_markers("drives"):
        for method in mine.intersection(mark.args):
            left_out = made.parameters(method) - made.sent[method]
            assert not left_out, f"{method} was never called with {sorted(left_out)}"
            unknown = made.sent[method] - made.parameters(method)
            assert not unknown, f"{method} does not have {sorted(unknown)}"


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> str:
    """Return a name that no other test of this run uses."""
    return f"w{next(_numbers)}"


@pytest.fixture
def organization_id(sdk: Sdk, unique: str) -> str:
    """Return an organization with nothing in it."""
    answer = sdk.call("organizations.create", organization_name=f"Acme {unique}")
    return str(answer["organization"]["organization_id"])


@pytest.fixture
def active_connection(sdk: Sdk, organization_id: str, places: dict[str, Any]) -> dict[str, Any]:
    """Return a SAML connection of the organization to the server's test identity provider."""
    return connections.saml(sdk, organization_id, places["base_url"])
