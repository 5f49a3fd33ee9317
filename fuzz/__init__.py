"""What `make fuzz` runs: more of the properties than `make test` has time for."""
