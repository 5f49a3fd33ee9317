"""Tests mirror the layout: src/vestibule/saml/xml.py is tested in tests/saml/test_xml.py."""

import ast
from pathlib import Path

from tests.meta.source_tree import PACKAGE, TESTS, files

TESTED_ELSEWHERE = {
    "api/objects/upkeep.py": "tests/api/test_sso_metadata.py sees every field",
    "api/objects/answers.py": "tests/api/test_members.py, test_organizations.py see every field",
    "api/objects/second_factors.py": "tests/api/test_totps.py sees every field",
    "api/objects/organization_settings.py": "tests/api/test_organizations.py",
    "api/objects/discovery.py": "tests/api/test_discovery.py sees every field",
    "api/objects/targets.py": "declares requests only",
    "browser/email_update.py": "tests/api/test_email_updates.py follows the link",
    "cli/http_connection.py": "tests/attacks/test_inbound_peers.py, over real sockets",
    "domain/discovery.py": "tests/api/test_discovery.py",
    "domain/discovery_login.py": "tests/api/test_discovery.py",
    "domain/impersonation.py": "tests/api/test_impersonation.py",
    "domain/context.py": "holds the doors and does nothing",
    "domain/email_updates.py": "tests/api/test_email_updates.py",
    "domain/logout_messages.py": "every logout is made of it: tests/domain/test_single_logout.py",
    "domain/mfa/enrolment.py": "tests/attacks/test_second_factors.py has a test for every rule",
    "domain/mfa/recovery_codes.py": "tests/api/test_recovery_codes.py asks every function of it",
    "domain/mfa/sms_codes.py": "tests/api/test_otps_sms.py asks every function of it, over HTTP",
    "domain/mfa/totps.py": "tests/api/test_totps.py asks every function of it, over HTTP",
    "domain/named_sessions.py": "tests/domain/test_single_logout.py, tests/domain/test_logouts.py",
    "api/sessions_from_elsewhere.py": "tests/domain/test_session_migration.py asks it",
    "domain/outcome.py": "every login ends in it; tests/flows/test_mfa_sign_in.py has both ways",
    "domain/session_exchange.py": "tests/flows/test_session_exchange.py",
    "domain/sessions.py": "tests/api/test_sessions.py asks every function of it, over HTTP",
    "domain/signing_key_rotation.py": "tests/api/test_sso_signing_key.py renews over HTTP",
    "domain/sign_in/callback.py": "both callbacks go through it in tests/attacks and tests/flows",
    "domain/sign_in/diagnosis.py": "tests/flows/test_saml_pitfalls.py, test_oidc_pitfalls.py",
    "domain/sign_in/mapping.py": "tests/flows/test_mapped_sign_in.py has a test for every rule",
    "domain/sign_in/oidc.py": "tests/attacks/test_callback_oidc.py, tests/flows",
    "domain/sign_in/provisioning.py": "tests/flows/test_decision_table.py has a test for every row",
    "domain/sign_in/redemption.py": "tests/attacks/test_tokens.py, tests/flows",
    "domain/sign_in/saml.py": "tests/attacks/test_callback_saml.py, tests/flows",
    "domain/sign_in/service_provider.py": "tests/browser/test_sso.py reads the metadata",
    "domain/upkeep/acceptance.py": "tests/api/test_sso_metadata.py decides over HTTP",
    "domain/upkeep/report.py": "tests/api/test_sso_metadata.py sees what it reports",
    "domain/upkeep/taking.py": "tests/domain/upkeep/test_metadata_refresh.py, over SAML and OIDC",
    "domain/transfer.py": "tests/flows/test_session_exchange.py, tests/api/test_discovery.py",
    "identity_providers/base.py": "declares a vendor's shape; test_catalogue.py reads every vendor",
    "permissions.py": "declares values only; tests/api tests who is let in",
    "records.py": "declares the nouns only; tests/store keeps and reads each",
    "store/audit_chains.py": "tests/domain/test_audit_chain.py lists chains",
    "store/migrations/versions/0001_tables.py": "tests/store/test_migrate.py runs every migration",
    "store/migrations/versions/0002_sso.py": "tests/store/test_migrate.py runs every migration",
    "store/migrations/versions/0003_identity.py": "tests/store/test_migrate.py runs each one",
    "store/migrations/versions/0004_second_factors.py": "tests/store/test_migrate.py runs each one",
    "store/migrations/versions/0005_origins.py": "tests/store/test_migrate.py runs each one",
}


def has_code(path: Path) -> bool:
    """Tell whether a module defines a function or a class, and is not data alone."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        for node in ast.parse(path.read_text()).body
    )


def mirrors(module: Path) -> tuple[Path, Path]:
    """Return where a source file may be tested: for itself, or together with its package."""
    inside = module.relative_to(PACKAGE)
    package = TESTS / inside.parent
    name = package.name if inside.name == "__init__.py" else inside.stem.strip("_")
    return package / f"test_{name}.py", package.parent / f"test_{package.name}.py"


def test_every_source_file_has_its_test_file() -> None:
    modules = [path for path in files(".py") if path.is_relative_to(PACKAGE) and has_code(path)]
    assert modules
    untested = {
        path.relative_to(PACKAGE).as_posix(): mirrors(path)[0].relative_to(TESTS).as_posix()
        for path in modules
        if not any(test.is_file() for test in mirrors(path))
    }
    assert untested.keys() == TESTED_ELSEWHERE.keys(), untested
