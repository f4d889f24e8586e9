-- What people decided about groups. Only ever grows: what is taken back is a line of its own.
CREATE TABLE decisions (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    -- No reference to `groups`: a waiver may be imported for a group that was never seen here.
    fingerprint TEXT NOT NULL,
    -- `bug`, `expected`, `noise`, `fixed`, `reopen`; `undo`, `split`, `join`.
    act         TEXT NOT NULL,
    actor       TEXT NOT NULL,
    owner       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    expires_ms  INTEGER,
    -- The candidate epoch that it was made in; for `fixed`, the one that has the fix.
    epoch       TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    -- `fixed`: comparisons of the endpoint in that epoch and later ones when it was said.
    compared    INTEGER NOT NULL,
    -- The line that an `undo` or a `join` takes back.
    takes_back  INTEGER UNIQUE REFERENCES decisions (sequence),
    -- `split` and `join`: the part, and what sets it apart.
    part        TEXT,
    shape       TEXT,
    place       TEXT
) STRICT;

CREATE INDEX decisions_by_group ON decisions (fingerprint);

CREATE TRIGGER decisions_are_not_changed BEFORE UPDATE ON decisions
BEGIN SELECT RAISE (ABORT, 'the log of decisions is append-only'); END;

CREATE TRIGGER decisions_are_not_deleted BEFORE DELETE ON decisions
BEGIN SELECT RAISE (ABORT, 'the log of decisions is append-only'); END;

-- In which shapes of requests a group was found. What was recorded before this table was made is in
-- `group_counts` only.
CREATE TABLE group_shapes (
    group_id  INTEGER NOT NULL REFERENCES groups (id),
    epoch_id  INTEGER NOT NULL REFERENCES epochs (id),
    shape     TEXT NOT NULL,
    count     INTEGER NOT NULL,
    exchanges INTEGER NOT NULL,
    first_ms  INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    -- The newest divergence, redacted.
    example   TEXT NOT NULL,
    PRIMARY KEY (group_id, epoch_id, shape)
) STRICT, WITHOUT ROWID;

ALTER TABLE samples ADD COLUMN shape TEXT NOT NULL DEFAULT '';
