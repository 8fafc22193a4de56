-- Connections to systems outside. Owned by the integration service.
CREATE TABLE connection (
    kind            text PRIMARY KEY CHECK (kind IN ('tiktok')),
    -- The pixel the events belong to.
    pixel_code      text NOT NULL,
    access_token    text NOT NULL,
    enabled         boolean NOT NULL DEFAULT true,
    version         bigint NOT NULL DEFAULT 1,
    updated_at      timestamptz NOT NULL
);

CREATE TABLE conversion (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL,
    tracked_id      uuid NOT NULL,
    booking_id      uuid NOT NULL,
    pixel_event_id  text NOT NULL,
    status          text NOT NULL CHECK (status IN ('SENT', 'REFUSED')),
    provider_ref    text,
    last_error      text,
    created_at      timestamptz NOT NULL,
    CONSTRAINT conversion_once UNIQUE (kind, tracked_id)
);
CREATE INDEX conversion_booking ON conversion (booking_id);
