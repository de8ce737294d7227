-- Workflow: templates by version, runs with their history, and the work that is still to be done.
-- States, events, inputs and effects are JSON text; beside it stand the columns that rows are
-- found and ordered by.
CREATE TABLE workflow_template (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    title TEXT,
    document TEXT NOT NULL,
    hash TEXT NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX workflow_template_version ON workflow_template (organization_id, name, version);
CREATE INDEX workflow_template_organization ON workflow_template (organization_id, number);

CREATE TABLE workflow_run (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    template TEXT NOT NULL,
    template_version INTEGER NOT NULL,
    status TEXT NOT NULL,
    business_key TEXT,
    start_key TEXT,
    starter TEXT NOT NULL,
    parent_id TEXT,
    parent_activation INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER,
    version INTEGER NOT NULL,
    events INTEGER NOT NULL,
    state TEXT NOT NULL
);
CREATE INDEX workflow_run_organization ON workflow_run (organization_id, number);
CREATE INDEX workflow_run_status ON workflow_run (organization_id, status, number);
CREATE INDEX workflow_run_template ON workflow_run (organization_id, template, number);
CREATE UNIQUE INDEX workflow_run_start ON workflow_run (organization_id, start_key)
    WHERE start_key IS NOT NULL;
CREATE INDEX workflow_run_business ON workflow_run (organization_id, business_key, number)
    WHERE business_key IS NOT NULL;
CREATE INDEX workflow_run_parent ON workflow_run (organization_id, parent_id, number)
    WHERE parent_id IS NOT NULL;

-- The history: the events of one step stand in one row, as a JSON array. The last of them has the
-- number `last` in its run.
CREATE TABLE workflow_event (
    run_number INTEGER NOT NULL,
    last INTEGER NOT NULL,
    at INTEGER NOT NULL,
    events TEXT NOT NULL,
    PRIMARY KEY (run_number, last)
) WITHOUT ROWID;

-- Inputs that no step has taken yet.
CREATE TABLE workflow_inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    input TEXT NOT NULL
);
CREATE UNIQUE INDEX workflow_inbox_key ON workflow_inbox (organization_id, run_id, key);

-- Calls that are to be performed. A lease holds while its owner has the lease of a node, which
-- ends with the process at the latest; `leased_until` counts from the start of that process.
CREATE TABLE workflow_effect (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    effect TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    owner TEXT,
    leased_until INTEGER
);
CREATE INDEX workflow_effect_free ON workflow_effect (organization_id, number) WHERE owner IS NULL;
CREATE INDEX workflow_effect_leased ON workflow_effect (owner) WHERE owner IS NOT NULL;

CREATE TABLE workflow_timer (
    organization_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    activation INTEGER NOT NULL,
    kind TEXT NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (organization_id, run_id, activation, kind)
) WITHOUT ROWID;
CREATE INDEX workflow_timer_due ON workflow_timer (due, run_id);

CREATE TABLE workflow_task (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    organization_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    activation INTEGER NOT NULL,
    template TEXT NOT NULL,
    template_version INTEGER NOT NULL,
    level TEXT NOT NULL,
    group_name TEXT,
    user_name TEXT,
    claimed_by TEXT,
    shown TEXT NOT NULL,
    due INTEGER,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX workflow_task_activation ON workflow_task (organization_id, run_id, activation);
CREATE INDEX workflow_task_organization ON workflow_task (organization_id, number);
CREATE INDEX workflow_task_status ON workflow_task (organization_id, status, number);
