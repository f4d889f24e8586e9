-- What the gate judges by, and what was learned to differ between control and control.

-- How many of a shape's comparisons had equal 5xx on both sides, how many mismatches were edits in between, and how
-- the others spread over different requests: 64 counts of 4 bytes, little-endian.
ALTER TABLE shapes ADD COLUMN both_failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shapes ADD COLUMN racing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shapes ADD COLUMN spread BLOB NOT NULL DEFAULT x'';

-- The side that the client waited for.
ALTER TABLE latencies ADD COLUMN answered_by TEXT NOT NULL DEFAULT 'control';

-- Mismatches by shape and by the groups that they belong to (ids, ascending, with commas; empty for what is beyond
-- the combinations that are told apart).
CREATE TABLE mismatches (
    epoch_id    INTEGER NOT NULL REFERENCES epochs (id),
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    shape       TEXT NOT NULL,
    groups      TEXT NOT NULL,
    n           INTEGER NOT NULL,
    confirmed   INTEGER NOT NULL,
    PRIMARY KEY (epoch_id, endpoint_id, shape, groups)
) STRICT, WITHOUT ROWID;

-- What control answered.
CREATE TABLE statuses (
    epoch_id    INTEGER NOT NULL REFERENCES epochs (id),
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    status      INTEGER NOT NULL,
    n           INTEGER NOT NULL,
    PRIMARY KEY (epoch_id, endpoint_id, status)
) STRICT, WITHOUT ROWID;

-- When something first was counted, and when something was last compared and last dropped.
CREATE TABLE moments (
    epoch_id    INTEGER NOT NULL REFERENCES epochs (id),
    endpoint_id INTEGER NOT NULL,
    began_ms    INTEGER NOT NULL,
    compared_ms INTEGER,
    dropped_ms  INTEGER,
    PRIMARY KEY (epoch_id, endpoint_id)
) STRICT, WITHOUT ROWID;

-- The last trial of a known divergence. `found_ms` is of the last one in which everything was found.
CREATE TABLE negative_controls (
    epoch_id    INTEGER NOT NULL REFERENCES epochs (id),
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    tried_ms    INTEGER NOT NULL,
    found_ms    INTEGER,
    missed      TEXT NOT NULL CHECK (json_valid(missed)),
    PRIMARY KEY (epoch_id, endpoint_id)
) STRICT, WITHOUT ROWID;

-- Noise belongs to a deployment of control.
CREATE TABLE noise_asked (
    control     TEXT NOT NULL,
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    asked_twice INTEGER NOT NULL,
    PRIMARY KEY (control, endpoint_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE noise (
    control     TEXT NOT NULL,
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    location    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    sightings   INTEGER NOT NULL,
    formats     TEXT NOT NULL CHECK (json_valid(formats)),
    hidden      INTEGER NOT NULL,
    refused     INTEGER NOT NULL,
    PRIMARY KEY (control, endpoint_id, location, kind)
) STRICT, WITHOUT ROWID;
