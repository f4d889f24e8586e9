-- What a search for groups looks through: any three characters of the place and the kind lead to the groups that have
-- them, in any case. A group is never renamed and never deleted, so that a row is written once, by the transaction that
-- makes its group.
CREATE VIRTUAL TABLE group_words USING fts5 (words, content = '', columnsize = 0, tokenize = 'trigram');

INSERT INTO group_words (rowid, words) SELECT id, location || ' ' || kind FROM groups;

CREATE TRIGGER groups_are_searched AFTER INSERT ON groups
BEGIN
    INSERT INTO group_words (rowid, words) VALUES (new.id, new.location || ' ' || new.kind);
END;

-- What was done besides transitions and decisions: rules read anew, deployments named, a matrix published. Only ever
-- grows.
CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    -- `rules`, `epoch` or `matrix`
    kind     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    what     TEXT NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT;

CREATE TRIGGER changes_are_not_changed BEFORE UPDATE ON changes
BEGIN SELECT RAISE (ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER changes_are_not_deleted BEFORE DELETE ON changes
BEGIN SELECT RAISE (ABORT, 'the audit log is append-only'); END;

CREATE INDEX transitions_by_time ON transitions (at_ms);
CREATE INDEX decisions_by_time ON decisions (at_ms);
CREATE INDEX changes_by_time ON changes (at_ms);
