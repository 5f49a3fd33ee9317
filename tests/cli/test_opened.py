import base64
import sqlite3

import pytest

from tests.cli.conftest import Command
from tests.support.http_peer import answer, listening
from vestibule.cli.opened import opened
from vestibule.settings import read
from vestibule.sms import TextMessage


def test_unknown_setting_ends_the_command_with_the_nearest_name(command_on_sqlite: Command) -> None:
    result = command_on_sqlite.run("serve", environ={"VESTIBULE_PROT": "80"})
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: unknown setting VESTIBULE_PROT; did you mean VESTIBULE_PORT?\n",
    )


@pytest.mark.case("AD-50")
def test_lost_master_key_is_not_replaced(command_on_sqlite: Command) -> None:
    command = command_on_sqlite
    assert command.run("project", "create", "Acme").exit_code == 0
    file = command.folder / "master.key"
    file.rename(command.folder / "elsewhere.key")
    result = command.run("project", "create", "Beta")
    assert result.exit_code == 1
    assert f"{file} is missing" in result.stderr
    assert not file.exists()


@pytest.mark.case("AD-50")
@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("c2hvcnQ=", "expected 32 bytes in base64"),
        ("A" * 43 + "=", "expected 32 random bytes in base64"),
        (base64.b64encode(bytes(range(1, 33))).decode(), ""),
    ],
    ids=["malformed", "zeros", "another"],
)
def test_wrong_master_key_ends_the_command_with_a_sentence(
    command_on_sqlite: Command, key: str, words: str
) -> None:
    assert command_on_sqlite.run("project", "create", "Acme").exit_code == 0
    result = command_on_sqlite.run(
        "project", "create", "Beta", environ={"VESTIBULE_MASTER_KEY": key}
    )
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert words in result.stderr
    assert key not in result.output


@pytest.mark.parametrize("command", [["migrate"], ["project", "create", "Acme"], ["serve"]])
def test_database_of_a_newer_version_ends_the_command_with_a_sentence(
    command_on_sqlite: Command, command: list[str]
) -> None:
    assert command_on_sqlite.run("migrate").exit_code == 0
    (file,) = command_on_sqlite.folder.glob("*.db")
    with sqlite3.connect(file) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    result = command_on_sqlite.run(*command)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the database is at revision 9999;")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"VESTIBULE_SMS_ACCOUNT": "AC1"}, "an SMS account needs its token and a sender"),
        (
            {
                "VESTIBULE_SMS_ACCOUNT": "AC1",
                "VESTIBULE_SMS_TOKEN": "t0p-s3cret",
                "VESTIBULE_SMS_FROM": "+14155550100",
                "VESTIBULE_SMS_URL": "twilio",
            },
            "expected the base URL of the SMS service",
        ),
    ],
)
def test_unusable_sms_service_ends_the_command_with_a_sentence(
    command_on_sqlite: Command, settings: dict[str, str], words: str
) -> None:
    result = command_on_sqlite.run("project", "create", "Acme", environ=settings)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "t0p-s3cret" not in result.output


@pytest.mark.case("AD-50")
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MASTER_KEY", "c2hvcnQ=", "the setting master_key: expected 32 bytes in base64"),
        ("MASTER_KEY", "A" * 43 + "=", "the setting master_key: expected 32 random bytes in"),
        ("MASTER_KEY_FILE", "/dev/null", "/dev/null: expected 32 bytes in base64"),
        ("BASE_URL", "http://sso.example.com", "VESTIBULE_BASE_URL: http is for this machine"),
        ("DEBUG", "true", "unknown setting VESTIBULE_DEBUG; did you mean VESTIBULE_"),
    ],
)
def test_unsafe_settings_end_serve_with_one_line(
    command_on_sqlite: Command, name: str, value: str, sentence: str
) -> None:
    assert command_on_sqlite.run("migrate").exit_code == 0
    result = command_on_sqlite.run("serve", environ={f"VESTIBULE_{name}": value})
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {sentence}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


async def test_texts_leave_by_the_service_of_the_settings(
    command_on_sqlite: Command,
) -> None:
    queued = answer(b'{"sid":"SM1"}', status="201 Created")
    async with listening(queued) as peer:
        settings = read(
            {
                **command_on_sqlite.environ,
                "VESTIBULE_SMS_ACCOUNT": "AC1",
                "VESTIBULE_SMS_TOKEN": "t0p-s3cret",
                "VESTIBULE_SMS_FROM": "+14155550100",
                "VESTIBULE_SMS_URL": f"http://127.0.0.1:{peer.port}",
                "VESTIBULE_OUTBOUND_HOSTS": "127.0.0.1",
            }
        )
        async with opened(settings, upgrade=True) as context:
            assert context.sms.ready
            await context.sms.send(TextMessage(to="+12025550162", text="123456", sent_at=0))
    [request] = peer.requests
    assert request.startswith(b"POST /2010-04-01/Accounts/AC1/Messages.json HTTP/1.1\r\n")
    assert request.endswith(b"To=%2B12025550162&Body=123456&From=%2B14155550100")
