-- What a list of groups is filtered and ordered by, beside the counts, so that one page of a hundred thousand groups
-- is a walk along an index. Both never change for a group.
ALTER TABLE group_counts ADD COLUMN endpoint_id INTEGER NOT NULL DEFAULT 0;
ALTER TABLE group_counts ADD COLUMN severity INTEGER NOT NULL DEFAULT 0;

UPDATE group_counts SET (endpoint_id, severity) =
    (SELECT g.endpoint_id, g.severity FROM groups g WHERE g.id = group_id);

CREATE TRIGGER group_counts_are_listed AFTER INSERT ON group_counts
BEGIN
    UPDATE group_counts SET (endpoint_id, severity) =
        (SELECT g.endpoint_id, g.severity FROM groups g WHERE g.id = new.group_id)
    WHERE group_id = new.group_id AND epoch_id = new.epoch_id;
END;

CREATE INDEX group_counts_by_rank ON group_counts (epoch_id, severity DESC, count DESC, group_id);
CREATE INDEX group_counts_by_endpoint ON group_counts (epoch_id, endpoint_id, severity DESC, count DESC, group_id);

-- Up to where a person has looked at a group: what it was like then.
CREATE TABLE views (
    person      TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    seen_as     TEXT NOT NULL,
    at_ms       INTEGER NOT NULL,
    PRIMARY KEY (person, fingerprint)
) STRICT, WITHOUT ROWID;
