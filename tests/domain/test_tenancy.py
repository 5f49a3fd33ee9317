from tests.support.full_records import full_record
from vestibule.domain import tenancy
from vestibule.store.interface import CONNECTION_KEY, EMAIL_UPDATE


def test_columns_are_those_of_the_row() -> None:
    update, key = full_record(EMAIL_UPDATE), full_record(CONNECTION_KEY)
    within = {"project_id": update.project_id, "organization_id": update.organization_id}
    assert tenancy.of_organization(update) == within
    assert tenancy.of_member(update) == {**within, "member_id": update.member_id}
    assert tenancy.of_connection(key) == {
        "project_id": key.project_id,
        "organization_id": key.organization_id,
        "connection_id": key.connection_id,
    }
