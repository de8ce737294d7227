-- The keys that tokens are signed with; the private part is sealed under a key that is not
-- in the database.
CREATE TABLE signing_key (
    id             TEXT    PRIMARY KEY,   -- RFC 7638 thumbprint
    generation     INTEGER NOT NULL UNIQUE,
    algorithm      TEXT    NOT NULL,
    public         BLOB    NOT NULL,
    sealed         BLOB    NOT NULL,
    created_at     INTEGER NOT NULL,
    signs_from     INTEGER NOT NULL,
    verifies_until INTEGER
) STRICT, WITHOUT ROWID;

-- Every name that tokens were ever issued under.
CREATE TABLE issuer (
    name    TEXT    PRIMARY KEY,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- OAuth client applications, of the deployment.
CREATE TABLE application (
    number              INTEGER PRIMARY KEY AUTOINCREMENT,
    id                  TEXT    NOT NULL UNIQUE,
    client_id           TEXT    NOT NULL UNIQUE,
    secret              BLOB,             -- SHA-256; NULL for public clients
    name                TEXT    NOT NULL,
    client_type         TEXT    NOT NULL,
    authorization_grant TEXT    NOT NULL,
    redirect_uris       TEXT    NOT NULL,
    user_id             TEXT,
    created_at          INTEGER NOT NULL
) STRICT;

-- Sessions: families of refresh tokens and the access tokens issued with them.
CREATE TABLE session (
    id                 TEXT    PRIMARY KEY,
    organization_id    TEXT,
    user_id            TEXT,
    application_id     TEXT,
    credential_version INTEGER NOT NULL,
    started_at         INTEGER NOT NULL,
    revoked_at         INTEGER,
    ends_at            INTEGER NOT NULL   -- when the last of its tokens ends
) STRICT, WITHOUT ROWID;

CREATE INDEX session_of_user ON session (user_id, ends_at);
CREATE INDEX session_end ON session (ends_at);
CREATE INDEX session_revoked ON session (id) WHERE revoked_at IS NOT NULL;

CREATE TABLE refresh_token (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    hash            BLOB    NOT NULL UNIQUE,  -- SHA-256
    session_id      TEXT    NOT NULL,
    organization_id TEXT,
    generation      INTEGER NOT NULL,
    issued_at       INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    used_at         INTEGER,
    UNIQUE (session_id, generation)
) STRICT;

CREATE TABLE access_token (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    session_id      TEXT    NOT NULL,
    organization_id TEXT,
    issued_at       INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX access_token_session ON access_token (session_id, expires_at);
CREATE INDEX access_token_end ON access_token (expires_at);

-- Accounts for scripts, and their keys.
CREATE TABLE service_account (
    id              TEXT    PRIMARY KEY,
    organization_id TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    is_active       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX service_account_name ON service_account (organization_id, name);

CREATE TABLE service_account_group (
    organization_id    TEXT NOT NULL,
    service_account_id TEXT NOT NULL,
    group_id           TEXT NOT NULL,
    PRIMARY KEY (service_account_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    id                 TEXT    PRIMARY KEY,
    organization_id    TEXT    NOT NULL,
    service_account_id TEXT    NOT NULL,
    name               TEXT    NOT NULL,
    secret             BLOB    NOT NULL,     -- SHA-256
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER,
    last_used_at       INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_account ON api_key (service_account_id);
