-- A constraint's name is `<table>__<column>`: its last column, which is what a Conflict names (a third
-- part tells two apart). Whatever belongs to a project, an organization, a member or a connection
-- goes when that goes.

CREATE TABLE projects (
    project_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT projects__project_id PRIMARY KEY (project_id)
);

CREATE TABLE project_secrets (
    secret_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    last_four TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT project_secrets__secret_id PRIMARY KEY (project_id, secret_id),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);

CREATE TABLE public_tokens (
    public_token TEXT NOT NULL,
    project_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT public_tokens__public_token PRIMARY KEY (public_token),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);
CREATE INDEX public_tokens_by_project ON public_tokens (project_id);

CREATE TABLE redirect_urls (
    project_id TEXT NOT NULL,
    url TEXT NOT NULL,
    login BOOLEAN NOT NULL,
    signup BOOLEAN NOT NULL,
    default_login BOOLEAN NOT NULL,
    default_signup BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT redirect_urls__url PRIMARY KEY (project_id, url),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);

CREATE TABLE signing_keys (
    key_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    private_key BYTEA NOT NULL,
    certificate BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    active_from BIGINT NOT NULL,
    retires_at BIGINT NOT NULL,
    CONSTRAINT signing_keys__key_id PRIMARY KEY (project_id, key_id),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);

CREATE TABLE data_keys (
    data_key_id TEXT NOT NULL,
    wrapped BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT data_keys__data_key_id PRIMARY KEY (data_key_id)
);

CREATE TABLE organizations (
    organization_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_name TEXT NOT NULL,
    organization_slug TEXT NOT NULL,
    organization_external_id TEXT,
    organization_logo_url TEXT NOT NULL,
    trusted_metadata TEXT NOT NULL,
    sso_default_connection_id TEXT,
    sso_jit_provisioning TEXT NOT NULL,
    sso_jit_provisioning_allowed_connections TEXT NOT NULL,
    email_allowed_domains TEXT NOT NULL,
    email_jit_provisioning TEXT NOT NULL,
    email_invites TEXT NOT NULL,
    oauth_tenant_jit_provisioning TEXT NOT NULL,
    allowed_oauth_tenants TEXT,
    claimed_email_domains TEXT NOT NULL,
    auth_methods TEXT NOT NULL,
    allowed_auth_methods TEXT NOT NULL,
    mfa_policy TEXT NOT NULL,
    mfa_methods TEXT NOT NULL,
    allowed_mfa_methods TEXT NOT NULL,
    rbac_email_implicit_role_assignments TEXT NOT NULL,
    first_party_connected_apps_allowed_type TEXT NOT NULL,
    allowed_first_party_connected_apps TEXT NOT NULL,
    third_party_connected_apps_allowed_type TEXT NOT NULL,
    allowed_third_party_connected_apps TEXT NOT NULL,
    custom_roles TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT organizations__organization_id PRIMARY KEY (project_id, organization_id),
    CONSTRAINT organizations__organization_slug UNIQUE (project_id, organization_slug),
    CONSTRAINT organizations__organization_external_id UNIQUE (project_id, organization_external_id),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);

CREATE TABLE organization_domains (
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    domain TEXT NOT NULL,
    CONSTRAINT organization_domains__domain PRIMARY KEY (project_id, organization_id, kind, domain),
    FOREIGN KEY (project_id, organization_id)
        REFERENCES organizations (project_id, organization_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX organization_domains__domain__claimed
    ON organization_domains (project_id, domain) WHERE kind = 'claimed';
-- Searches by domain, and who claims one: a prepared statement may not use the index above.
CREATE INDEX organization_domains_by_domain
    ON organization_domains (project_id, domain, kind, organization_id);

CREATE TABLE members (
    member_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    email_address TEXT NOT NULL,
    status TEXT NOT NULL,
    email_address_verified BOOLEAN NOT NULL,
    name TEXT NOT NULL,
    external_id TEXT,
    is_breakglass BOOLEAN NOT NULL,
    mfa_enrolled BOOLEAN NOT NULL,
    mfa_phone_number TEXT NOT NULL,
    mfa_phone_number_verified BOOLEAN NOT NULL,
    default_mfa_method TEXT NOT NULL,
    trusted_metadata TEXT NOT NULL,
    untrusted_metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT members__member_id PRIMARY KEY (project_id, organization_id, member_id),
    CONSTRAINT members__external_id UNIQUE (project_id, organization_id, external_id),
    FOREIGN KEY (project_id, organization_id)
        REFERENCES organizations (project_id, organization_id) ON DELETE CASCADE
);
CREATE INDEX members_by_member ON members (project_id, member_id);

CREATE TABLE member_roles (
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    role_id TEXT NOT NULL,
    CONSTRAINT member_roles__role_id PRIMARY KEY (project_id, organization_id, member_id, role_id),
    FOREIGN KEY (project_id, organization_id, member_id)
        REFERENCES members (project_id, organization_id, member_id) ON DELETE CASCADE
);

CREATE TABLE member_emails (
    email_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    email_key TEXT NOT NULL,
    email_address TEXT NOT NULL,
    retired BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT member_emails__email_id PRIMARY KEY (project_id, organization_id, email_id),
    CONSTRAINT member_emails__email_key UNIQUE (project_id, organization_id, email_key),
    FOREIGN KEY (project_id, organization_id, member_id)
        REFERENCES members (project_id, organization_id, member_id) ON DELETE CASCADE
);
-- The organizations that an address is a member of (organizations.search).
CREATE INDEX member_emails_by_key ON member_emails (project_id, email_key);
CREATE INDEX member_emails_by_member
    ON member_emails (project_id, organization_id, member_id);

CREATE TABLE connections (
    connection_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    protocol TEXT NOT NULL,
    display_name TEXT NOT NULL,
    identity_provider TEXT NOT NULL,
    status TEXT NOT NULL,
    saml TEXT,
    oidc TEXT,
    external TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT connections__connection_id PRIMARY KEY (project_id, organization_id, connection_id),
    CONSTRAINT connections__connection_id__project UNIQUE (project_id, connection_id),
    FOREIGN KEY (project_id, organization_id)
        REFERENCES organizations (project_id, organization_id) ON DELETE CASCADE
);
-- A callback knows nothing but the connection.
CREATE INDEX connections_by_connection ON connections (connection_id);

CREATE TABLE connection_keys (
    key_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    certificate TEXT NOT NULL,
    private_key BYTEA NOT NULL,
    issuer TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT connection_keys__key_id PRIMARY KEY (project_id, organization_id, connection_id, key_id),
    FOREIGN KEY (project_id, organization_id, connection_id)
        REFERENCES connections (project_id, organization_id, connection_id) ON DELETE CASCADE
);

CREATE TABLE registrations (
    registration_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    sso_attributes TEXT NOT NULL,
    groups TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT registrations__registration_id PRIMARY KEY (project_id, organization_id, registration_id),
    CONSTRAINT registrations__connection_id UNIQUE (project_id, organization_id, member_id, connection_id),
    CONSTRAINT registrations__external_id UNIQUE (project_id, connection_id, external_id),
    FOREIGN KEY (project_id, organization_id, member_id)
        REFERENCES members (project_id, organization_id, member_id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, connection_id)
        REFERENCES connections (project_id, connection_id) ON DELETE CASCADE
);

CREATE TABLE sign_ins (
    sign_in_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    browser_hash BYTEA NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    start_connection_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    nonce TEXT NOT NULL,
    code_verifier BYTEA NOT NULL,
    login_redirect_url TEXT NOT NULL,
    signup_redirect_url TEXT NOT NULL,
    pkce_code_challenge TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    consumed_at BIGINT NOT NULL,
    CONSTRAINT sign_ins__sign_in_id PRIMARY KEY (project_id, sign_in_id),
    FOREIGN KEY (project_id, organization_id)
        REFERENCES organizations (project_id, organization_id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, connection_id)
        REFERENCES connections (project_id, connection_id) ON DELETE CASCADE
);
CREATE INDEX sign_ins_by_organization ON sign_ins (project_id, organization_id);
CREATE INDEX sign_ins_by_connection ON sign_ins (project_id, connection_id);
CREATE INDEX sign_ins_by_expiry ON sign_ins (expires_at);

CREATE TABLE sso_tokens (
    token_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    protocol TEXT NOT NULL,
    identity TEXT NOT NULL,
    pkce_code_challenge TEXT NOT NULL,
    trace_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    consumed_at BIGINT NOT NULL,
    CONSTRAINT sso_tokens__token_id PRIMARY KEY (project_id, token_id),
    FOREIGN KEY (project_id, organization_id)
        REFERENCES organizations (project_id, organization_id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, connection_id)
        REFERENCES connections (project_id, connection_id) ON DELETE CASCADE
);
CREATE INDEX sso_tokens_by_organization ON sso_tokens (project_id, organization_id);
CREATE INDEX sso_tokens_by_connection ON sso_tokens (project_id, connection_id);
CREATE INDEX sso_tokens_by_expiry ON sso_tokens (expires_at);

CREATE TABLE replays (
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    assertion_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT replays__assertion_id PRIMARY KEY (project_id, connection_id, assertion_id),
    FOREIGN KEY (project_id, organization_id)
        REFERENCES organizations (project_id, organization_id) ON DELETE CASCADE,
    FOREIGN KEY (project_id, connection_id)
        REFERENCES connections (project_id, connection_id) ON DELETE CASCADE
);
CREATE INDEX replays_by_organization ON replays (project_id, organization_id);
CREATE INDEX replays_by_expiry ON replays (expires_at);

CREATE TABLE traces (
    trace_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    sign_in_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error_type TEXT NOT NULL,
    reason TEXT NOT NULL,
    side TEXT NOT NULL,
    steps TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT traces__trace_id PRIMARY KEY (project_id, organization_id, trace_id),
    FOREIGN KEY (project_id, organization_id)
        REFERENCES organizations (project_id, organization_id) ON DELETE CASCADE
);
CREATE INDEX traces_by_age ON traces (created_at);

CREATE TABLE sessions (
    session_id TEXT NOT NULL,
    token_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    sealed_token BYTEA NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    factors TEXT NOT NULL,
    custom_claims TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    last_accessed_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT sessions__session_id PRIMARY KEY (project_id, organization_id, session_id),
    CONSTRAINT sessions__token_id UNIQUE (project_id, token_id),
    FOREIGN KEY (project_id, organization_id, member_id)
        REFERENCES members (project_id, organization_id, member_id) ON DELETE CASCADE
);
CREATE INDEX sessions_by_session ON sessions (project_id, session_id);
CREATE INDEX sessions_by_member ON sessions (project_id, organization_id, member_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE intermediate_sessions (
    token_id TEXT NOT NULL,
    secret_hash BYTEA NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    factors TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT intermediate_sessions__token_id PRIMARY KEY (project_id, organization_id, token_id),
    FOREIGN KEY (project_id, organization_id, member_id)
        REFERENCES members (project_id, organization_id, member_id) ON DELETE CASCADE
);
CREATE INDEX intermediate_sessions_by_token
    ON intermediate_sessions (project_id, token_id);
CREATE INDEX intermediate_sessions_by_member
    ON intermediate_sessions (project_id, organization_id, member_id);
CREATE INDEX intermediate_sessions_by_expiry ON intermediate_sessions (expires_at);

CREATE TABLE outbox (
    message_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deliver_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    delivered_at BIGINT NOT NULL,
    CONSTRAINT outbox__message_id PRIMARY KEY (project_id, message_id),
    FOREIGN KEY (project_id) REFERENCES projects (project_id) ON DELETE CASCADE
);
CREATE INDEX outbox_by_project ON outbox (project_id);
CREATE INDEX outbox_by_due ON outbox (deliver_at) WHERE delivered_at = 0;
CREATE INDEX outbox_by_delivery ON outbox (delivered_at) WHERE delivered_at > 0;
