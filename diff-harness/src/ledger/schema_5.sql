-- Unsafe requests that control carried out at stage `record`, with its responses, redacted. The newest of each endpoint.
CREATE TABLE recorded (
    id          INTEGER PRIMARY KEY,
    endpoint_id INTEGER NOT NULL REFERENCES endpoints (id),
    at_ms       INTEGER NOT NULL,
    exchange    BLOB NOT NULL
) STRICT;

CREATE INDEX recorded_by_endpoint ON recorded (endpoint_id, id);
CREATE INDEX recorded_by_time ON recorded (at_ms);
