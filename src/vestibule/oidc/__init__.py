"""OpenID Connect relying party, pure: bytes, expectation and time in; a value or OidcError out."""
