import pytest

from vestibule.api.groups import endpoints
from vestibule.domain import limits
from vestibule.permissions import Permission, ProjectSecret


def test_every_limit_is_listed_once_and_counts_something() -> None:
    declared = {value for value in vars(limits).values() if isinstance(value, limits.Limit)}
    assert set(limits.ALL) == declared
    assert len({limit.name for limit in limits.ALL}) == len(limits.ALL)
    assert all(
        limit.requests > 0 and limit.seconds > 0 and limit.per and limit.what
        for limit in limits.ALL
    )


def test_every_endpoint_is_limited_by_project_or_address() -> None:
    for endpoint in endpoints():
        of_project = isinstance(endpoint.access, ProjectSecret | Permission)
        assert endpoint.limits[0] is (limits.API if of_project else limits.PUBLIC)
        names_organization = "organization_id" in endpoint.request.__struct_fields__
        assert (limits.ORGANIZATION in endpoint.limits) == (of_project and names_organization)


@pytest.mark.parametrize(
    ("operation", "limit"),
    [
        ("organizations.search", limits.ORGANIZATION_SEARCH),
        ("organizations.members.search", limits.MEMBER_SEARCH),
    ],
)
def test_searches_have_the_published_limit(operation: str, limit: limits.Limit) -> None:
    [endpoint] = [each for each in endpoints() if each.operation_id == operation]
    assert limit in endpoint.limits
    assert (limit.per, limit.requests, limit.seconds) == (("project",), 100, 60)


@pytest.mark.case("MF-15", verdict="holds")
def test_codes_by_sms_are_limited_by_address_member_phone_and_organization() -> None:
    of = {each.operation_id: each.limits for each in endpoints() if each.group == "otps.sms"}
    assert limits.SMS_REQUESTS in of["otps.sms.send"]
    assert limits.MFA_GUESSES in of["otps.sms.authenticate"]
    counted = {limit.per[-1] for limit in limits.ALL if limit.name.startswith("sms_")}
    assert counted == {"address", "phone", "member", "organization"}
