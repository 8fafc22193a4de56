-- What happened, for counting. Owned by the analytics service.
CREATE TABLE tracked_event (
    id              uuid PRIMARY KEY,
    name            text NOT NULL,
    -- The event it was made from; the same one is counted once.
    source_id       uuid NOT NULL UNIQUE,
    booking_id      uuid,
    pixel_event_id  text,
    value_minor     bigint,
    currency        text,
    attribution     jsonb NOT NULL,
    happened_at     timestamptz NOT NULL
);
CREATE INDEX tracked_event_time ON tracked_event (happened_at);
