"""What `vestibule dev`, `demo` and `selftest` add to the server; `serve` never mounts it.

A test identity provider, a demo application and a mailbox. All of it speaks to the server only
through its public HTTP surface, as an application and an identity provider elsewhere would.
"""
