-- Extensions: how far the journal's events are out, and webhooks.

-- One order of events on its way out: of one chain (the nil UUID is the deployment's), through
-- one transport, to one receiver. `sequence` is the number of the last event that is out.
CREATE TABLE lane (
    transport       TEXT    NOT NULL,
    organization_id TEXT    NOT NULL,
    lane            TEXT    NOT NULL,
    sequence        INTEGER NOT NULL,
    is_paused       INTEGER NOT NULL,
    owner           TEXT,             -- the lease of the node that works on it
    leased_until    INTEGER,          -- by the steady clock of that process
    failures        INTEGER NOT NULL, -- one after another, until now
    failing_since   INTEGER,
    retry_at        INTEGER,
    fault           TEXT,
    PRIMARY KEY (transport, organization_id, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE webhook (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    organization_id TEXT    NOT NULL,
    url             TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    kinds           TEXT    NOT NULL, -- a JSON array of texts
    state           TEXT    NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_organization ON webhook (organization_id, number);

-- What was tried lately.
CREATE TABLE webhook_delivery (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT    NOT NULL UNIQUE,
    organization_id TEXT    NOT NULL,
    webhook_id      TEXT    NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    sequence        INTEGER NOT NULL,
    event_id        TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    attempt         INTEGER NOT NULL,
    status          INTEGER,
    fault           TEXT,
    took            INTEGER NOT NULL, -- microseconds
    is_replay       INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_id, number);
