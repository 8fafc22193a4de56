-- Messages to customers. Owned by the notification service.
CREATE TABLE delivery (
    id              uuid PRIMARY KEY,
    channel         text NOT NULL CHECK (channel IN ('email')),
    template        text NOT NULL,
    -- What caused it; the same cause sends one message.
    source          text NOT NULL CONSTRAINT delivery_source_taken UNIQUE,
    booking_id      uuid,
    recipient       text NOT NULL,
    subject         text NOT NULL,
    -- RFC 5322 Message-ID, fixed before the first try: a mail handed over twice is one mail.
    message_id      text NOT NULL UNIQUE,
    status          text NOT NULL CHECK (status IN ('QUEUED', 'SENT', 'FAILED')),
    last_error      text,
    created_at      timestamptz NOT NULL,
    sent_at         timestamptz
);
CREATE INDEX delivery_booking ON delivery (booking_id);

-- Whether bookings stand, as last heard: what the mail with the receipt says depends on it.
CREATE TABLE notified_booking (
    booking_id      uuid PRIMARY KEY,
    version         bigint NOT NULL,
    confirmed       boolean NOT NULL
);
