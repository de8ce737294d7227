-- Services belong to the deployment: they have no organization.
CREATE TABLE service (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    description TEXT,
    docs_endpoint TEXT,
    credential TEXT NOT NULL,
    policy TEXT NOT NULL,
    instances TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

-- The document of each version of a service; '' is that of no version.
CREATE TABLE service_specification (
    service_id TEXT NOT NULL REFERENCES service (id) ON DELETE CASCADE,
    version TEXT NOT NULL,
    text TEXT NOT NULL,
    fetched_at INTEGER NOT NULL,
    PRIMARY KEY (service_id, version)
);

-- The deployment's own limits: one row at most.
CREATE TABLE rate_limits (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    limits TEXT NOT NULL
);
