-- As whom people sign in whom an outside provider vouches for. Looked up before anybody knows
-- which organization it is, as names to sign in with are.
CREATE TABLE outside_identity (
    issuer     text   NOT NULL,
    subject    text   NOT NULL,
    account_id uuid   NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at bigint NOT NULL,
    CONSTRAINT outside_identity_subject PRIMARY KEY (issuer, subject)
);

CREATE INDEX outside_identity_account ON outside_identity (account_id);
