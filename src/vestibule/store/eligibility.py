"""Which organizations make a member of whoever proves an address in one of their domains."""

from typing import Final

from vestibule.records import Organization
from vestibule.store.interface import Transaction

# $2 is the domain, $3 the address's key, $4 the pattern of all keys in the domain.
_ELIGIBLE: Final = """WHERE project_id = $1 AND suspended_at = 0
AND email_jit_provisioning = 'RESTRICTED'
AND organization_id IN (SELECT organization_id FROM organization_domains
    WHERE project_id = $1 AND kind = 'allowed' AND domain = $2)
AND NOT EXISTS (SELECT 1 FROM organization_domains claim
    WHERE claim.project_id = $1 AND claim.kind = 'claimed' AND claim.domain = $2
    AND claim.organization_id <> organizations.organization_id)
AND NOT EXISTS (SELECT 1 FROM member_emails held
    WHERE held.project_id = $1 AND held.organization_id = organizations.organization_id
    AND held.email_key = $3)
AND EXISTS (SELECT 1 FROM member_emails known JOIN members
    ON members.project_id = known.project_id
    AND members.organization_id = known.organization_id
    AND members.member_id = known.member_id
    WHERE known.project_id = $1 AND known.organization_id = organizations.organization_id
    AND NOT known.retired AND known.email_key LIKE $4 AND members.email_address_verified)
ORDER BY created_at, organization_id"""


async def organizations(tx: Transaction, project_id: str, email_key: str) -> list[Organization]:
    """Return the organizations that an address may join by its domain, the oldest first.

    They allow the domain, have a member with a verified address in it already, and nobody who
    holds this very address; no other organization claims the domain (semantics 1.6, 2.6).
    """
    domain = email_key.rpartition("@")[2]
    return await tx.organizations.select(_ELIGIBLE, project_id, domain, email_key, f"%@{domain}")
