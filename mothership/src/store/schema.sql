CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id                      INTEGER PRIMARY KEY AUTOINCREMENT,
    permalink               TEXT NOT NULL UNIQUE,
    username                TEXT NOT NULL,
    first_name              TEXT,
    last_name               TEXT,
    city                    TEXT,
    country                 TEXT,
    description             TEXT,
    avatar_url              TEXT,
    website                 TEXT,
    website_title           TEXT,
    discogs_name            TEXT,
    myspace_name            TEXT,
    plan                    TEXT NOT NULL,
    locale                  TEXT NOT NULL,
    role                    TEXT NOT NULL,
    suspended               INTEGER NOT NULL,
    primary_email_confirmed INTEGER NOT NULL,
    upload_seconds_used     INTEGER NOT NULL,
    created_at              INTEGER NOT NULL,
    last_modified           INTEGER NOT NULL,
    followers_count         INTEGER NOT NULL DEFAULT 0,
    followings_count        INTEGER NOT NULL DEFAULT 0,
    public_tracks_count     INTEGER NOT NULL DEFAULT 0,
    private_tracks_count    INTEGER NOT NULL DEFAULT 0,
    public_playlists_count  INTEGER NOT NULL DEFAULT 0,
    private_playlists_count INTEGER NOT NULL DEFAULT 0,
    liked_tracks_count      INTEGER NOT NULL DEFAULT 0,
    liked_playlists_count   INTEGER NOT NULL DEFAULT 0,
    reposts_count           INTEGER NOT NULL DEFAULT 0,
    comments_count          INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE tracks (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id             INTEGER NOT NULL REFERENCES users (id),
    permalink           TEXT NOT NULL,
    title               TEXT NOT NULL,
    description         TEXT,
    genre               TEXT,
    tag_list            TEXT NOT NULL,
    duration_ms         INTEGER NOT NULL,
    bpm                 INTEGER,
    key_signature       TEXT,
    isrc                TEXT,
    label_name          TEXT,
    license             TEXT NOT NULL,
    release             TEXT,
    release_at          INTEGER,
    sharing             TEXT NOT NULL,
    secret_token        TEXT NOT NULL UNIQUE,
    taken_down          INTEGER NOT NULL,
    policy              TEXT NOT NULL,
    blocked_territories TEXT NOT NULL,
    commentable         INTEGER NOT NULL,
    downloadable        INTEGER NOT NULL,
    streamable          INTEGER NOT NULL,
    embeddable_by       TEXT NOT NULL,
    purchase_title      TEXT,
    purchase_url        TEXT,
    artwork_url         TEXT,
    playback_count      INTEGER NOT NULL DEFAULT 0,
    download_count      INTEGER NOT NULL DEFAULT 0,
    likes_count         INTEGER NOT NULL DEFAULT 0,
    reposts_count       INTEGER NOT NULL DEFAULT 0,
    comments_count      INTEGER NOT NULL DEFAULT 0,
    created_at          INTEGER NOT NULL,
    last_modified       INTEGER NOT NULL,
    UNIQUE (user_id, permalink)
) STRICT;

CREATE INDEX tracks_created ON tracks (created_at, id);
CREATE INDEX tracks_of_user ON tracks (user_id, created_at, id);
CREATE INDEX tracks_of_genre ON tracks (genre, playback_count, id);

CREATE TABLE playlists (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id             INTEGER NOT NULL REFERENCES users (id),
    permalink           TEXT NOT NULL,
    title               TEXT NOT NULL,
    description         TEXT,
    genre               TEXT,
    tag_list            TEXT NOT NULL,
    kind                TEXT NOT NULL,
    sharing             TEXT NOT NULL,
    secret_token        TEXT NOT NULL UNIQUE,
    license             TEXT NOT NULL,
    release             TEXT,
    release_at          INTEGER,
    ean                 TEXT,
    label_id            INTEGER REFERENCES users (id),
    label_name          TEXT,
    purchase_title      TEXT,
    purchase_url        TEXT,
    embeddable_by       TEXT NOT NULL,
    artwork_url         TEXT,
    track_count         INTEGER NOT NULL DEFAULT 0,
    duration_ms         INTEGER NOT NULL DEFAULT 0,
    likes_count         INTEGER NOT NULL DEFAULT 0,
    reposts_count       INTEGER NOT NULL DEFAULT 0,
    indexed_likes_count INTEGER NOT NULL DEFAULT 0,
    revision            INTEGER NOT NULL DEFAULT 1,
    created_at          INTEGER NOT NULL,
    last_modified       INTEGER NOT NULL,
    UNIQUE (user_id, permalink)
) STRICT;

CREATE INDEX playlists_created ON playlists (created_at, id);
CREATE INDEX playlists_modified ON playlists (last_modified, id);
CREATE INDEX playlists_popular ON playlists (indexed_likes_count, id);
CREATE INDEX playlists_of_user ON playlists (user_id, created_at, id);
CREATE INDEX playlists_of_genre ON playlists (genre, indexed_likes_count, id);

-- A track stands in a playlist once; positions are 0..track_count without gaps.
CREATE TABLE playlist_tracks (
    playlist_id INTEGER NOT NULL REFERENCES playlists (id),
    position    INTEGER NOT NULL,
    track_id    INTEGER NOT NULL REFERENCES tracks (id),
    PRIMARY KEY (playlist_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX playlists_of_track ON playlist_tracks (track_id, playlist_id);

-- Likes, reposts, follows and blocks: one row per pair, found from both sides in order of time.
CREATE TABLE playlist_likes (
    user_id     INTEGER NOT NULL REFERENCES users (id),
    playlist_id INTEGER NOT NULL REFERENCES playlists (id),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, playlist_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX playlist_likes_by_user ON playlist_likes (user_id, created_at, playlist_id);
CREATE INDEX playlist_likes_of ON playlist_likes (playlist_id, created_at, user_id);

CREATE TABLE track_likes (
    user_id    INTEGER NOT NULL REFERENCES users (id),
    track_id   INTEGER NOT NULL REFERENCES tracks (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, track_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX track_likes_by_user ON track_likes (user_id, created_at, track_id);
CREATE INDEX track_likes_of ON track_likes (track_id, created_at, user_id);

CREATE TABLE playlist_reposts (
    user_id     INTEGER NOT NULL REFERENCES users (id),
    playlist_id INTEGER NOT NULL REFERENCES playlists (id),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (user_id, playlist_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX playlist_reposts_by_user ON playlist_reposts (user_id, created_at, playlist_id);
CREATE INDEX playlist_reposts_of ON playlist_reposts (playlist_id, created_at, user_id);

CREATE TABLE track_reposts (
    user_id    INTEGER NOT NULL REFERENCES users (id),
    track_id   INTEGER NOT NULL REFERENCES tracks (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, track_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX track_reposts_by_user ON track_reposts (user_id, created_at, track_id);
CREATE INDEX track_reposts_of ON track_reposts (track_id, created_at, user_id);

CREATE TABLE follows (
    follower_id INTEGER NOT NULL REFERENCES users (id),
    followee_id INTEGER NOT NULL REFERENCES users (id),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (follower_id, followee_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX followings_of ON follows (follower_id, created_at, followee_id);
CREATE INDEX followers_of ON follows (followee_id, created_at, follower_id);

CREATE TABLE blocks (
    blocker_id INTEGER NOT NULL REFERENCES users (id),
    blocked_id INTEGER NOT NULL REFERENCES users (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (blocker_id, blocked_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_of ON blocks (blocked_id, blocker_id);

CREATE TABLE comments (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    track_id    INTEGER NOT NULL REFERENCES tracks (id),
    user_id     INTEGER NOT NULL REFERENCES users (id),
    body        TEXT NOT NULL,
    position_ms INTEGER,
    created_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX comments_of_track ON comments (track_id, created_at, id);
CREATE INDEX comments_by_user ON comments (user_id, created_at, id);

CREATE TABLE web_profiles (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    service    TEXT NOT NULL,
    title      TEXT NOT NULL,
    url        TEXT NOT NULL,
    username   TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX web_profiles_of ON web_profiles (user_id, id);

CREATE TABLE connections (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id       INTEGER NOT NULL REFERENCES users (id),
    service       TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    post_publish  INTEGER NOT NULL,
    post_favorite INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX connections_of ON connections (user_id, id);

CREATE TABLE bearer_tokens (
    token      TEXT PRIMARY KEY,
    user_id    INTEGER NOT NULL REFERENCES users (id),
    scope      TEXT NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;

-- The outbox: written in the transaction of the change that an event tells of. There is one writer, so sequence
-- order is commit order and a reader who has seen N never finds a smaller one later.
CREATE TABLE events (
    sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
    at             INTEGER NOT NULL,
    type           TEXT NOT NULL,
    actor_id       INTEGER NOT NULL,
    aggregate_kind TEXT NOT NULL,
    aggregate_id   INTEGER NOT NULL,
    payload        TEXT NOT NULL
) STRICT;

-- Full text over names. The triggers keep the index right whoever writes.
CREATE VIRTUAL TABLE playlist_names USING fts5 (title, content = 'playlists', content_rowid = 'id');
CREATE TRIGGER playlist_names_insert AFTER INSERT ON playlists BEGIN
    INSERT INTO playlist_names (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER playlist_names_delete AFTER DELETE ON playlists BEGIN
    INSERT INTO playlist_names (playlist_names, rowid, title) VALUES ('delete', old.id, old.title);
END;
CREATE TRIGGER playlist_names_update AFTER UPDATE OF title ON playlists BEGIN
    INSERT INTO playlist_names (playlist_names, rowid, title) VALUES ('delete', old.id, old.title);
    INSERT INTO playlist_names (rowid, title) VALUES (new.id, new.title);
END;

CREATE VIRTUAL TABLE track_names USING fts5 (title, content = 'tracks', content_rowid = 'id');
CREATE TRIGGER track_names_insert AFTER INSERT ON tracks BEGIN
    INSERT INTO track_names (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER track_names_delete AFTER DELETE ON tracks BEGIN
    INSERT INTO track_names (track_names, rowid, title) VALUES ('delete', old.id, old.title);
END;
CREATE TRIGGER track_names_update AFTER UPDATE OF title ON tracks BEGIN
    INSERT INTO track_names (track_names, rowid, title) VALUES ('delete', old.id, old.title);
    INSERT INTO track_names (rowid, title) VALUES (new.id, new.title);
END;

CREATE VIRTUAL TABLE user_names USING fts5 (username, content = 'users', content_rowid = 'id');
CREATE TRIGGER user_names_insert AFTER INSERT ON users BEGIN
    INSERT INTO user_names (rowid, username) VALUES (new.id, new.username);
END;
