-- Organizations: tenants. Names are compared by their key, which is lower case.
CREATE TABLE organization (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL,
    details    TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX organization_name ON organization (name_key);

-- Users. (`user` is a word of SQL.)
CREATE TABLE account (
    number             INTEGER PRIMARY KEY AUTOINCREMENT,
    id                 TEXT    NOT NULL,
    organization_id    TEXT    REFERENCES organization (id),
    username           TEXT    NOT NULL,
    username_key       TEXT    NOT NULL,
    email              TEXT    NOT NULL,
    email_key          TEXT    NOT NULL,
    email_verified     INTEGER NOT NULL,
    first_name         TEXT    NOT NULL,
    last_name          TEXT    NOT NULL,
    is_active          INTEGER NOT NULL,
    is_superuser       INTEGER NOT NULL,
    password_hash      TEXT    NOT NULL,
    credential_version INTEGER NOT NULL,
    profile            TEXT    NOT NULL,
    version            INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    edited_at          INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX account_id ON account (id);
CREATE UNIQUE INDEX account_username ON account (username_key);
CREATE INDEX account_email ON account (email_key);
CREATE INDEX account_organization ON account (organization_id, first_name);

-- Groups: roles of an organization, or of the deployment.
CREATE TABLE user_group (
    number                INTEGER PRIMARY KEY AUTOINCREMENT,
    id                    TEXT    NOT NULL,
    organization_id       TEXT    REFERENCES organization (id),
    name                  TEXT    NOT NULL,
    is_global             INTEGER NOT NULL,
    is_organization_level INTEGER NOT NULL,
    is_default            INTEGER NOT NULL,
    permissions           INTEGER NOT NULL,
    version               INTEGER NOT NULL,
    created_at            INTEGER NOT NULL,
    edited_at             INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX user_group_id ON user_group (id);
CREATE INDEX user_group_organization ON user_group (organization_id, name);

CREATE TABLE membership (
    account_id      TEXT NOT NULL REFERENCES account (id),
    group_id        TEXT NOT NULL REFERENCES user_group (id),
    organization_id TEXT,
    PRIMARY KEY (account_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX membership_group ON membership (group_id);

-- Groups attached to services. No foreign key: a service never opens because a group went away.
CREATE TABLE service_group (
    service_id TEXT NOT NULL,
    group_id   TEXT NOT NULL,
    PRIMARY KEY (service_id, group_id)
) STRICT, WITHOUT ROWID;

-- Invitations; only hashes of their secrets are kept.
CREATE TABLE invitation (
    id              TEXT    PRIMARY KEY,
    organization_id TEXT    NOT NULL REFERENCES organization (id),
    email           TEXT    NOT NULL,
    secret          BLOB    NOT NULL,
    invited_by      TEXT,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    used_at         INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX invitation_secret ON invitation (secret);
CREATE INDEX invitation_organization ON invitation (organization_id);

-- Secrets mailed to users: password resets, proofs of an address.
CREATE TABLE proof (
    secret          BLOB    PRIMARY KEY,
    purpose         TEXT    NOT NULL,
    organization_id TEXT,
    account_id      TEXT    NOT NULL REFERENCES account (id),
    email           TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    used_at         INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX proof_account ON proof (account_id, purpose);

-- Small resources of the deployment.
CREATE TABLE organization_type (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at  INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX organization_type_name ON organization_type (name_key);

CREATE TABLE consortium (
    id            TEXT    PRIMARY KEY,
    name          TEXT    NOT NULL,
    organizations TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    edited_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE partner (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
