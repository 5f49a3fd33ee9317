-- Each part says what it is for; conventions as in 0001_tables.sql.

-- Whether a member who is locked out may end that by the link of a letter.
ALTER TABLE projects ADD COLUMN user_lock_self_serve BOOLEAN NOT NULL DEFAULT FALSE;

-- Codes on their way to members' phones, one each, and how many were sent to whom lately.
ALTER TABLE members ADD COLUMN mfa_phone_id TEXT NOT NULL DEFAULT '';
CREATE TABLE sms_codes (
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    phone_number TEXT NOT NULL,
    code BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT sms_codes__member_id PRIMARY KEY (project_id, organization_id, member_id),
    FOREIGN KEY (project_id, organization_id, member_id)
        REFERENCES members (project_id, organization_id, member_id) ON DELETE CASCADE
);
CREATE INDEX sms_codes_by_expiry ON sms_codes (expires_at);
CREATE TABLE sms_counts (
    project_id TEXT NOT NULL,
    limit_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    ends_at BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    CONSTRAINT sms_counts__ends_at PRIMARY KEY (project_id, limit_name, subject, ends_at),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);
CREATE INDEX sms_counts_by_end ON sms_counts (ends_at);

-- When and by whom a role was given directly; since when an address is the primary one, and since
-- when an identity provider has sent each group.
ALTER TABLE member_roles ADD COLUMN given TEXT NOT NULL DEFAULT '{}';
ALTER TABLE member_emails ADD COLUMN primary_since BIGINT NOT NULL DEFAULT 0;
UPDATE member_emails SET primary_since = created_at;
ALTER TABLE registrations ADD COLUMN groups_since TEXT NOT NULL DEFAULT '{}';
