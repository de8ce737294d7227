-- All events of the deployment, in the order of the feed, each linked into the chain of its
-- organization. The nil UUID stands for the deployment's own chain.
CREATE TABLE journal (
    position        INTEGER PRIMARY KEY,
    organization_id TEXT    NOT NULL,
    sequence        INTEGER NOT NULL,
    event_id        TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    actor           TEXT    NOT NULL,
    at              INTEGER NOT NULL,
    payload         TEXT,             -- NULL once erased; the chain holds without it
    salt            BLOB    NOT NULL,
    payload_digest  BLOB    NOT NULL,
    previous        BLOB    NOT NULL,
    hash            BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX journal_chain ON journal (organization_id, sequence);
CREATE INDEX journal_subject ON journal (organization_id, subject, sequence);

-- The end of each chain, where the next event is linked.
CREATE TABLE journal_head (
    organization_id TEXT    PRIMARY KEY,
    sequence        INTEGER NOT NULL,
    hash            BLOB    NOT NULL
) STRICT, WITHOUT ROWID;
