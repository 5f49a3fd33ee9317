"""The command `vestibule`: start a server, look after it, print what is documented."""

import click

from vestibule.cli.audit import audit
from vestibule.cli.development import demo, dev
from vestibule.cli.documents import openapi, settings
from vestibule.cli.members import member
from vestibule.cli.operations import (
    impersonate,
    key,
    migrate,
    organization,
    project,
    secret,
)
from vestibule.cli.policy import policy
from vestibule.cli.redirect_urls import redirect_url
from vestibule.cli.saml import saml
from vestibule.cli.server import serve
from vestibule.cli.traces import trace
from vestibule.cli.trusted_tokens import trusted_token


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vestibule")
def main() -> None:
    """Self-hosted enterprise single sign-on for B2B products."""


for command in (
    *(serve, dev, demo, migrate, project, organization, redirect_url, secret, key),
    *(audit, impersonate, member, policy, trusted_token, trace, saml, settings, openapi),
):
    main.add_command(command)
