-- As whom people sign in whom an outside provider vouches for. Looked up before anybody knows
-- which organization it is, as names to sign in with are.
CREATE TABLE outside_identity (
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    account_id TEXT    NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;

CREATE INDEX outside_identity_account ON outside_identity (account_id);
