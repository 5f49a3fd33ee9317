"""A sign-in from start to session: start, the two callbacks, and the redemption of the token."""
