-- Each part says what it is for; conventions as in 0001_tables.sql.

-- What an OpenID provider gave out at a member's last login, sealed. It waits in the sso_token until
-- the login is decided. Until `refreshing_until` one reader refreshes it alone.
CREATE TABLE oidc_tokens (
    registration_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    refreshing_until BIGINT NOT NULL,
    CONSTRAINT oidc_tokens__registration_id PRIMARY KEY (project_id, organization_id, registration_id),
    FOREIGN KEY (project_id, organization_id, registration_id)
        REFERENCES registrations (project_id, organization_id, registration_id) ON DELETE CASCADE
);
ALTER TABLE sign_ins ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE sso_tokens ADD COLUMN provider_tokens BYTEA;

-- Metadata that is read again in the background.
CREATE TABLE metadata_feeds (
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    url TEXT NOT NULL,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    valid_until BIGINT NOT NULL,
    taken TEXT NOT NULL,
    seen TEXT NOT NULL,
    refused TEXT NOT NULL,
    announced TEXT NOT NULL,
    fetched_at BIGINT NOT NULL,
    tried_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    error TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    CONSTRAINT metadata_feeds__connection_id PRIMARY KEY (project_id, organization_id, connection_id),
    FOREIGN KEY (project_id, organization_id, connection_id)
        REFERENCES connections (project_id, organization_id, connection_id) ON DELETE CASCADE
);
CREATE INDEX metadata_feeds_by_due ON metadata_feeds (due_at);

-- How many of the warnings before a certificate expires have been sent.
ALTER TABLE connection_keys ADD COLUMN warnings_sent BIGINT NOT NULL DEFAULT 0;
CREATE INDEX connection_keys_by_expiry ON connection_keys (expires_at);

-- Until when a member may not sign in, and since when; since when an organization's may not. 0: may.
ALTER TABLE members ADD COLUMN lock_created_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN lock_expires_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organizations ADD COLUMN suspended_at BIGINT NOT NULL DEFAULT 0;

-- The connection that an external one refers to: once in an organization, and found by it.
ALTER TABLE connections ADD COLUMN external_connection_id TEXT;
CREATE UNIQUE INDEX connections__external_connection_id
    ON connections (project_id, organization_id, external_connection_id);
CREATE INDEX connections_by_external
    ON connections (project_id, external_connection_id) WHERE external_connection_id IS NOT NULL;

-- Where browsers may be sent after a logout, and a logout on its way through the identity provider.
ALTER TABLE redirect_urls ADD COLUMN logout BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE redirect_urls ADD COLUMN default_logout BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE logouts (
    logout_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    factor TEXT NOT NULL,
    redirect_url TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    consumed_at BIGINT NOT NULL,
    CONSTRAINT logouts__logout_id PRIMARY KEY (project_id, logout_id),
    FOREIGN KEY (project_id, organization_id, connection_id)
        REFERENCES connections (project_id, organization_id, connection_id) ON DELETE CASCADE
);
CREATE INDEX logouts_by_connection ON logouts (project_id, organization_id, connection_id, request_id);
CREATE INDEX logouts_by_expiry ON logouts (expires_at);
