"""`python -m vestibule` is `vestibule`."""

from vestibule.cli import main

main()
