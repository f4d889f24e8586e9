-- "STNG": says whose file it is before anything else is read.
PRAGMA application_id = 1398034503;

CREATE TABLE endpoints (
    id          INTEGER PRIMARY KEY,
    method      TEXT NOT NULL,
    template    TEXT NOT NULL,
    stage       TEXT NOT NULL,
    hold        TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    since_ms    INTEGER NOT NULL,
    source      TEXT NOT NULL,
    parameters  TEXT NOT NULL CHECK (json_valid(parameters)),
    statuses    TEXT NOT NULL CHECK (json_valid(statuses)),
    UNIQUE (template, method)
) STRICT;

-- The audit log. Only ever grows.
CREATE TABLE transitions (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    from_stage  TEXT NOT NULL,
    from_hold   TEXT NOT NULL,
    to_stage    TEXT NOT NULL,
    to_hold     TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    actor       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    forced      INTEGER NOT NULL,
    evidence    TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    UNIQUE (endpoint_id, revision)
) STRICT;

CREATE TRIGGER transitions_are_not_changed BEFORE UPDATE ON transitions
BEGIN SELECT RAISE (ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER transitions_are_not_deleted BEFORE DELETE ON transitions
BEGIN SELECT RAISE (ABORT, 'the audit log is append-only'); END;

CREATE TABLE epochs (
    id        INTEGER PRIMARY KEY,
    candidate TEXT NOT NULL,
    control   TEXT NOT NULL,
    rules     TEXT NOT NULL,
    first_ms  INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    UNIQUE (candidate, control, rules)
) STRICT;

-- What became of every request. `endpoint_id` 0 is traffic that matched no endpoint; `counter` is `matched`,
-- `skipped/unmatched`, `dropped/expired` and so on.
CREATE TABLE tallies (
    epoch_id    INTEGER NOT NULL REFERENCES epochs (id),
    endpoint_id INTEGER NOT NULL,
    counter     TEXT NOT NULL,
    n           INTEGER NOT NULL,
    PRIMARY KEY (epoch_id, endpoint_id, counter)
) STRICT, WITHOUT ROWID;

CREATE TABLE shapes (
    epoch_id    INTEGER NOT NULL REFERENCES epochs (id),
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    shape       TEXT NOT NULL,
    compared    INTEGER NOT NULL,
    mismatched  INTEGER NOT NULL,
    PRIMARY KEY (epoch_id, endpoint_id, shape)
) STRICT, WITHOUT ROWID;

CREATE TABLE rules (
    epoch_id INTEGER NOT NULL REFERENCES epochs (id),
    rule     TEXT NOT NULL,
    applied  INTEGER NOT NULL,
    hidden   INTEGER NOT NULL,
    PRIMARY KEY (epoch_id, rule)
) STRICT, WITHOUT ROWID;

-- The newest pairs of each endpoint, in a ring of slots.
CREATE TABLE latencies (
    epoch_id     INTEGER NOT NULL REFERENCES epochs (id),
    endpoint_id  INTEGER NOT NULL REFERENCES endpoints (id),
    slot         INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    control_us   INTEGER NOT NULL,
    candidate_us INTEGER NOT NULL,
    PRIMARY KEY (epoch_id, endpoint_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE groups (
    id          INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    kind        TEXT NOT NULL,
    -- 0 cosmetic, 1 changed, 2 breaking, 3 exposure
    severity    INTEGER NOT NULL,
    location    TEXT NOT NULL,
    detail      TEXT
) STRICT;

CREATE INDEX groups_by_endpoint ON groups (endpoint_id);

CREATE TABLE group_counts (
    group_id  INTEGER NOT NULL REFERENCES groups (id),
    epoch_id  INTEGER NOT NULL REFERENCES epochs (id),
    count     INTEGER NOT NULL,
    exchanges INTEGER NOT NULL,
    first_ms  INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    -- The newest divergence, redacted.
    example   TEXT NOT NULL,
    PRIMARY KEY (group_id, epoch_id)
) STRICT, WITHOUT ROWID;

-- Kept exchanges: the only table whose rows are deleted again.
CREATE TABLE samples (
    id          INTEGER PRIMARY KEY,
    request_id  TEXT NOT NULL,
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    epoch_id    INTEGER NOT NULL REFERENCES epochs (id),
    at_ms       INTEGER NOT NULL,
    verdict     TEXT NOT NULL,
    divergences TEXT NOT NULL,
    notes       TEXT NOT NULL,
    exchange    BLOB NOT NULL
) STRICT;

CREATE INDEX samples_by_request ON samples (request_id);
CREATE INDEX samples_by_time ON samples (at_ms);
CREATE INDEX samples_without_group ON samples (endpoint_id, epoch_id, at_ms) WHERE verdict <> 'mismatch';

CREATE TABLE sample_groups (
    group_id  INTEGER NOT NULL REFERENCES groups (id),
    epoch_id  INTEGER NOT NULL REFERENCES epochs (id),
    at_ms     INTEGER NOT NULL,
    sample_id INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, epoch_id, at_ms, sample_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX sample_groups_by_sample ON sample_groups (sample_id);

CREATE TABLE undeclared (
    method   TEXT NOT NULL,
    template TEXT NOT NULL,
    count    INTEGER NOT NULL,
    examples TEXT NOT NULL,
    PRIMARY KEY (template, method)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
