"""Vestibule: self-hosted enterprise single sign-on for B2B SaaS products."""
