-- What each consumer has already done, in the tenant's own schema so that it commits together
-- with the effect.
CREATE TABLE inbox (
    consumer        text NOT NULL,
    event_id        uuid NOT NULL,
    handled_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);
-- Rows are added in the order of this column: a few bytes for each stretch of the table are enough
-- to find the old ones, which are cleared away.
CREATE INDEX inbox_handled ON inbox USING brin (handled_at);

-- The last version of each entity a consumer has seen: events apply in order, last + 1 only.
CREATE TABLE inbox_cursor (
    consumer        text NOT NULL,
    entity_type     text NOT NULL,
    entity_id       uuid NOT NULL,
    version         bigint NOT NULL,
    PRIMARY KEY (consumer, entity_type, entity_id)
);

-- Failed tries, counted here because the broker's own count is lost when it restarts.
CREATE TABLE inbox_failure (
    consumer        text NOT NULL,
    event_id        uuid NOT NULL,
    tries           integer NOT NULL,
    last_error      text NOT NULL,
    failed_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, event_id)
);

-- Answers to mutating requests, so that the same key gets the same answer. Kept 30 days.
CREATE TABLE idempotency (
    principal       text NOT NULL,
    route           text NOT NULL,
    key             text NOT NULL,
    request_hash    bytea NOT NULL,
    body            text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT idempotency_pkey PRIMARY KEY (principal, route, key)
);
CREATE INDEX idempotency_created ON idempotency USING brin (created_at);
