from dataclasses import fields

import pytest

from tests.cli.conftest import Command
from tests.meta.source_tree import ROOT
from vestibule.settings import Settings


@pytest.mark.case("AD-49")
def test_settings_prints_every_setting_and_no_value_in_force(command_on_sqlite: Command) -> None:
    result = command_on_sqlite.run("settings", environ={"VESTIBULE_MASTER_KEY": "hunter2"})
    assert result.exit_code == 0
    names = [line.split("=")[0] for line in result.stdout.splitlines() if line[0] != " "]
    assert names == [f"VESTIBULE_{each.name.upper()}" for each in fields(Settings)]
    assert "hunter2" not in result.stdout


def test_openapi_prints_the_document_of_the_reference(command_on_sqlite: Command) -> None:
    result = command_on_sqlite.run("openapi")
    assert result.exit_code == 0
    assert result.stdout == (ROOT / "docs/reference/openapi.json").read_text()
