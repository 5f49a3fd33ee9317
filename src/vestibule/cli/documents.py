"""What is printed from the code itself: the settings and the OpenAPI document."""

from dataclasses import fields

import click

from vestibule.api.openapi import text
from vestibule.settings import PREFIX, Settings


@click.command()
def settings() -> None:
    """Print every setting with its default and what it does."""
    for item in fields(Settings):
        click.echo(f"{PREFIX}{item.name.upper()}={item.default}")
        click.echo(f"    {item.metadata['help']}")


@click.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the API."""
    click.echo(text(), nl=False)
