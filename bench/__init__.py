"""Measurements: CPU time as ratios in one run. `make bench-saml` runs them; no test does."""
