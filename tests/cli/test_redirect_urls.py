from tests.cli.conftest import Command


def test_redirect_url_add_registers_an_address_for_logouts(command: Command) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    url = "https://app.example.com/goodbye"
    kinds = ("--logout", "--no-login", "--no-signup")
    added = command.run("redirect-url", "add", project_id, url, *kinds)
    assert (added.exit_code, added.stdout) == (0, f"{url} is registered.\n")


def test_redirect_url_add_registers_an_address_once(command: Command) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    words = ("redirect-url", "add", project_id, "https://app.example.com/callback")
    first, second = command.run(*words), command.run(*words)
    assert (first.exit_code, first.stdout) == (
        0,
        "https://app.example.com/callback is registered.\n",
    )
    assert second.exit_code == 1
    assert "Error: " in second.stderr


def test_redirect_urls_are_listed_made_the_default_and_removed(command: Command) -> None:
    project_id = command.good("project", "create", "Acme")["project_id"]
    first, second = "https://app.example.com/old", "https://app.example.com/new"
    for url in (first, second):
        command.good("redirect-url", "add", project_id, url)

    def listed() -> list[str]:
        return command.run("redirect-url", "list", project_id).stdout.splitlines()

    assert listed() == [f"{first}  login (default) signup (default)", f"{second}  login signup"]
    said = command.run("redirect-url", "default", project_id, second)
    assert said.stdout == f"{second} is the default.\n"
    said = command.run("redirect-url", "remove", project_id, first)
    assert said.stdout == f"{first} is no longer registered.\n"
    assert listed() == [f"{second}  login (default) signup (default)"]
    again = command.run("redirect-url", "remove", project_id, first)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "This redirect URL is not registered" in again.stderr
