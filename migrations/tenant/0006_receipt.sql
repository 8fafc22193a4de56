-- Numbered receipts. Owned by the receipt service.
CREATE TABLE receipt_counter (
    year            integer PRIMARY KEY,
    last            bigint NOT NULL
);

CREATE TABLE receipt (
    id              uuid PRIMARY KEY,
    payment_id      uuid NOT NULL CONSTRAINT receipt_one_per_payment UNIQUE,
    booking_id      uuid NOT NULL,
    customer_id     uuid,
    number          text NOT NULL UNIQUE,
    amount_minor    bigint NOT NULL,
    currency        text NOT NULL,
    path            text NOT NULL,
    -- What the PDF is made from; the same content gives the same file again.
    content         jsonb NOT NULL,
    issued_at       timestamptz NOT NULL,
    stored_at       timestamptz
);
CREATE INDEX receipt_booking ON receipt (booking_id);
