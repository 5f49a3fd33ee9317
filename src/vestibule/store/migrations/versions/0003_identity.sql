-- Each part says what it is for; conventions as in 0001_tables.sql.

-- Addresses that members have begun to change to, until they prove them or the time is over.
CREATE TABLE email_updates (
    update_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    email_key TEXT NOT NULL,
    email_address TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    code BYTEA NOT NULL,
    redirect_url TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    consumed_at BIGINT NOT NULL,
    CONSTRAINT email_updates__update_id PRIMARY KEY (update_id),
    FOREIGN KEY (project_id, organization_id, member_id)
        REFERENCES members (project_id, organization_id, member_id) ON DELETE CASCADE
);
CREATE INDEX email_updates_by_member ON email_updates (project_id, organization_id, member_id);
CREATE INDEX email_updates_by_key ON email_updates (project_id, organization_id, email_key);
CREATE INDEX email_updates_by_expiry ON email_updates (expires_at);

-- Wrong codes of a member since the last right one; at the last that is allowed it is locked.
ALTER TABLE members ADD COLUMN failed_attempts BIGINT NOT NULL DEFAULT 0;

-- Where sessions of another system are asked about, while an application moves from there to here.
ALTER TABLE projects ADD COLUMN session_migration_url TEXT NOT NULL DEFAULT '';

-- Issuers whose tokens begin sessions, and the tokens that have.
CREATE TABLE trusted_token_profiles (
    profile_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    audience TEXT NOT NULL,
    jwks_url TEXT NOT NULL,
    public_keys TEXT NOT NULL,
    attribute_mapping TEXT NOT NULL,
    can_jit_provision BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT trusted_token_profiles__profile_id PRIMARY KEY (project_id, profile_id),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);
CREATE TABLE trusted_tokens (
    project_id TEXT NOT NULL,
    profile_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT trusted_tokens__token_id PRIMARY KEY (project_id, profile_id, token_id),
    FOREIGN KEY (project_id, profile_id)
        REFERENCES trusted_token_profiles (project_id, profile_id) ON DELETE CASCADE
);
CREATE INDEX trusted_tokens_by_expiry ON trusted_tokens (expires_at);

-- Members' authenticator apps, one each, and the recovery codes that come with them.
ALTER TABLE members ADD COLUMN totp_registration_id TEXT NOT NULL DEFAULT '';
CREATE TABLE totps (
    totp_registration_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    secret BYTEA NOT NULL,
    recovery_key BYTEA NOT NULL,
    last_step BIGINT NOT NULL,
    activated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT totps__totp_registration_id
        PRIMARY KEY (project_id, organization_id, totp_registration_id),
    CONSTRAINT totps__member_id UNIQUE (project_id, organization_id, member_id),
    FOREIGN KEY (project_id, organization_id, member_id)
        REFERENCES members (project_id, organization_id, member_id) ON DELETE CASCADE
);
CREATE INDEX totps_by_expiry ON totps (expires_at) WHERE activated_at = 0;
CREATE TABLE recovery_codes (
    recovery_code_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    totp_registration_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    code_hash BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    consumed_at BIGINT NOT NULL,
    CONSTRAINT recovery_codes__recovery_code_id
        PRIMARY KEY (project_id, organization_id, totp_registration_id, recovery_code_id),
    CONSTRAINT recovery_codes__code_hash
        UNIQUE (project_id, organization_id, totp_registration_id, code_hash),
    FOREIGN KEY (project_id, organization_id, totp_registration_id)
        REFERENCES totps (project_id, organization_id, totp_registration_id) ON DELETE CASCADE
);

-- Whether members may be impersonated, and the tokens with which that begins.
ALTER TABLE projects ADD COLUMN impersonation_allowed BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE impersonation_tokens (
    token_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    impersonator TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    consumed_at BIGINT NOT NULL,
    CONSTRAINT impersonation_tokens__token_id PRIMARY KEY (project_id, token_id),
    FOREIGN KEY (project_id, organization_id, member_id)
        REFERENCES members (project_id, organization_id, member_id) ON DELETE CASCADE
);
CREATE INDEX impersonation_tokens_by_member
    ON impersonation_tokens (project_id, organization_id, member_id);
CREATE INDEX impersonation_tokens_by_expiry ON impersonation_tokens (expires_at);

-- Roles and resources of the project's own.
ALTER TABLE projects ADD COLUMN rbac_policy TEXT NOT NULL DEFAULT '{}';

-- The audit log: a chain for each organization ('' is the project itself). It outlives what it tells
-- of, but for the project. The head is what a transaction holds while it extends the chain.
CREATE TABLE audit_events (
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    action TEXT NOT NULL,
    object_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    changed TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor_type TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_session_id TEXT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    request_id TEXT NOT NULL,
    previous_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT audit_events__sequence PRIMARY KEY (project_id, organization_id, sequence),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);
CREATE TABLE audit_heads (
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    CONSTRAINT audit_heads__organization_id PRIMARY KEY (project_id, organization_id),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);
