-- The mesh: what kinds of records services own, how they are linked, and the links.
CREATE TABLE record_type (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    service TEXT NOT NULL,
    model TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    key_field TEXT NOT NULL,
    is_local INTEGER NOT NULL
);
CREATE UNIQUE INDEX record_type_model ON record_type (service, model);
CREATE UNIQUE INDEX record_type_endpoint ON record_type (service, endpoint);

CREATE TABLE relationship (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    origin_id TEXT NOT NULL REFERENCES record_type (id) ON DELETE CASCADE,
    related_id TEXT NOT NULL REFERENCES record_type (id) ON DELETE CASCADE,
    foreign_key TEXT
);
CREATE UNIQUE INDEX relationship_pair ON relationship (origin_id, related_id, key);
CREATE INDEX relationship_related ON relationship (related_id);

CREATE TABLE join_record (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    relationship_id TEXT NOT NULL REFERENCES relationship (id) ON DELETE CASCADE,
    origin_key TEXT NOT NULL,
    related_key TEXT NOT NULL
);
CREATE UNIQUE INDEX join_record_pair
    ON join_record (organization_id, relationship_id, origin_key, related_key);
CREATE INDEX join_record_related ON join_record (organization_id, relationship_id, related_key);
CREATE INDEX join_record_organization ON join_record (organization_id, number);
CREATE INDEX join_record_relationship ON join_record (relationship_id);
