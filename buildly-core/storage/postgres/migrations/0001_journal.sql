-- All events of the deployment, each linked into the chain of its organization. The nil UUID
-- stands for the deployment's own chain. The order of the feed is (transaction_id, position):
-- a follower reads below the oldest transaction that may still write here, so it skips none.
CREATE TABLE journal (
    position        bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id  xid8    NOT NULL DEFAULT pg_current_xact_id(),
    organization_id uuid    NOT NULL,
    sequence        bigint  NOT NULL,
    event_id        uuid    NOT NULL,
    kind            text    NOT NULL,
    subject         text    NOT NULL,
    actor           text    NOT NULL,
    at              bigint  NOT NULL,
    payload         text,             -- NULL once erased; the chain holds without it
    salt            bytea   NOT NULL,
    payload_digest  bytea   NOT NULL,
    previous        bytea   NOT NULL,
    hash            bytea   NOT NULL
);

CREATE INDEX journal_feed ON journal (transaction_id, position);
CREATE UNIQUE INDEX journal_chain ON journal (organization_id, sequence);
CREATE INDEX journal_subject ON journal (organization_id, subject, sequence);

-- The end of each chain, where the next event is linked; locked by whoever links.
CREATE TABLE journal_head (
    organization_id uuid    PRIMARY KEY,
    sequence        bigint  NOT NULL,
    hash            bytea   NOT NULL
) WITH (fillfactor = 50);

-- The running processes of the deployment, and how far each has come.
CREATE TABLE node (
    id               uuid        PRIMARY KEY,
    applied_revision bigint      NOT NULL,
    lease_until      timestamptz NOT NULL
);
