"""SAML 2.0 as a service provider: bytes, an expectation and a time in; a verified value out.

Pure: no clock, randomness, network or storage. lxml is used here and nowhere else.
"""
