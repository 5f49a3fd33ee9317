"""`make fuzz`: changed messages before three engines, random requests, random bytes.

The seed is printed first; with the same seed and number of examples the first two parts are the
same again. They end in time: the first after half of it, but not before 20,000 documents, the
requests to the API after a fifth, but not before each endpoint has been asked, and the bytes before
every reader of SAML after the rest.
"""

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

import click

from fuzz.described import requests_keep_to_their_description
from tests.support.saml_differential import accepted_is_signed
from vestibule.clock import SECOND, SystemClock
from vestibule.ids import SystemEntropy

LEAST: Final = 20_000
_ROUND: Final = 5_000
_SHORTEST: Final = 30
_FOUND: Final = Path("data/fuzz")


@click.command()
@click.option("--seconds", default=300, show_default=True, help="How long to go on.")
@click.option("--seed", type=int, help="Of an earlier run, to repeat it.")
def main(seconds: int, seed: int | None) -> None:
    """Look for a message that is accepted and should not be, or that breaks a reader."""
    chosen = int.from_bytes(SystemEntropy().token_bytes(3)) if seed is None else seed
    click.echo(f"seed {chosen}")
    clock = SystemClock()
    begun = clock.now()
    seen: Counter[str] = Counter()
    rounds = 0
    while rounds * _ROUND < LEAST or clock.now() - begun < seconds * SECOND // 2:
        seen += accepted_is_signed(examples=_ROUND, seed_number=chosen + rounds)
        rounds += 1
    told = ", ".join(f"{count} {name}" for name, count in seen.most_common())
    click.echo(f"{seen.total()} changed documents: {told}")
    answers = requests_keep_to_their_description(seconds=seconds // 5, seed_number=chosen)
    told = ", ".join(f"{count} x {status}" for status, count in sorted(answers.items()))
    click.echo(f"{answers.total()} random requests: {told}")
    spent = (clock.now() - begun) // SECOND
    sys.exit(_random_bytes(max(seconds - spent, _SHORTEST), seed=chosen))


def _random_bytes(seconds: int, *, seed: int) -> int:
    """Run atheris in a process of its own, which it ends; return its status."""
    _FOUND.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        options = (
            f"-max_total_time={seconds}",
            f"-seed={seed}",
            "-max_len=20000",
            "-timeout=5",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
            f"-artifact_prefix={_FOUND}/",
            folder,
        )
        command = [sys.executable, "-m", "fuzz.readers", *options]
        return subprocess.run(command, check=False).returncode  # noqa: S603 - a module of ours


if __name__ == "__main__":
    main()
