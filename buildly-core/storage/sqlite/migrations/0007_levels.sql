-- The levels of Buildly Core 1.2.0. What nobody looks a row up by stands in `details`, as JSON;
-- groups are a JSON array of ids. A row belongs to a level 1 of its own organization only.
CREATE TABLE workflow_level1 (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at INTEGER NOT NULL,
    details TEXT NOT NULL,
    name TEXT NOT NULL,
    group_ids TEXT NOT NULL
);
CREATE UNIQUE INDEX workflow_level1_place ON workflow_level1 (organization_id, name, number);
CREATE INDEX workflow_level1_grouped ON workflow_level1 (organization_id, number)
    WHERE group_ids <> '[]';
CREATE UNIQUE INDEX workflow_level1_owner ON workflow_level1 (organization_id, id);

-- Without an organization: for all of them.
CREATE TABLE workflow_level_type (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at INTEGER NOT NULL,
    name TEXT NOT NULL
);
CREATE INDEX workflow_level_type_organization ON workflow_level_type (organization_id);

CREATE TABLE workflow_level_status (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    short_name TEXT NOT NULL
);
CREATE UNIQUE INDEX workflow_level_status_name ON workflow_level_status (organization_id, short_name);
CREATE UNIQUE INDEX workflow_level_status_shared ON workflow_level_status (short_name)
    WHERE organization_id IS NULL;

CREATE TABLE workflow_level2 (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at INTEGER NOT NULL,
    details TEXT NOT NULL,
    name TEXT NOT NULL,
    group_ids TEXT NOT NULL,
    level1_id TEXT NOT NULL,
    parent_id TEXT REFERENCES workflow_level2 (id) ON DELETE SET NULL,
    type_id TEXT REFERENCES workflow_level_type (id) ON DELETE SET NULL,
    status_id TEXT REFERENCES workflow_level_status (id) ON DELETE SET NULL,
    run_id TEXT,
    FOREIGN KEY (organization_id, level1_id)
        REFERENCES workflow_level1 (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX workflow_level2_place ON workflow_level2 (organization_id, name, number);
CREATE INDEX workflow_level2_level1 ON workflow_level2 (organization_id, level1_id);
CREATE INDEX workflow_level2_grouped ON workflow_level2 (organization_id, number)
    WHERE group_ids <> '[]';
CREATE INDEX workflow_level2_parent ON workflow_level2 (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX workflow_level2_type ON workflow_level2 (type_id) WHERE type_id IS NOT NULL;
CREATE INDEX workflow_level2_status ON workflow_level2 (status_id) WHERE status_id IS NOT NULL;

CREATE TABLE workflow_level_order (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at INTEGER NOT NULL,
    details TEXT NOT NULL,
    level1_id TEXT NOT NULL,
    parent_id TEXT REFERENCES workflow_level2 (id) ON DELETE SET NULL,
    FOREIGN KEY (organization_id, level1_id)
        REFERENCES workflow_level1 (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX workflow_level_order_level1 ON workflow_level_order (organization_id, level1_id);
CREATE INDEX workflow_level_order_parent ON workflow_level_order (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE workflow_team_place (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    edited_at INTEGER NOT NULL,
    details TEXT NOT NULL,
    level1_id TEXT NOT NULL,
    FOREIGN KEY (organization_id, level1_id)
        REFERENCES workflow_level1 (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX workflow_team_place_level1 ON workflow_team_place (organization_id, level1_id);
