"""JSON for applications: one file per endpoint group, declared with `endpoint.Group`."""
