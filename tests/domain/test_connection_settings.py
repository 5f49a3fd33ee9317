import pytest

from tests.support.scenario import Scenario
from vestibule import errors
from vestibule.domain import connection_settings
from vestibule.errors import Failure


async def test_updated_settings_are_stored_with_the_time(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.saml_connection(organization["organization_id"])
    where = (scenario.context, scenario.project, "acme", connection["connection_id"])
    before = await connection_settings.get(*where)
    scenario.clock.advance(5)
    updated = await connection_settings.update(*where, {"require_encryption": True})
    assert updated.updated_at == before.updated_at + 5
    assert updated.saml is not None
    assert updated.saml.policy.require_encryption
    assert await connection_settings.get(*where) == updated


async def test_setting_of_another_protocol_is_refused(scenario: Scenario) -> None:
    organization = await scenario.organization()
    connection = await scenario.oidc_connection(organization["organization_id"])
    where = (scenario.context, scenario.project, "acme", connection["connection_id"])
    with pytest.raises(Failure) as caught:
        await connection_settings.update(*where, {"allow_cbc": False})
    assert caught.value.error is errors.bad_request
    assert caught.value.message.startswith("allow_cbc: ")
