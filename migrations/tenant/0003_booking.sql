-- Bookings and what they take. Owned by the booking service.

-- Sessions that are booked together: the evenings of a course.
CREATE TABLE session_group (
    id              uuid PRIMARY KEY,
    product_id      uuid NOT NULL,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- As of a session.
    status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed', 'cancelled')),
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL
);

-- A dated occurrence with places: a class, a show. Its two counters are the whole truth about
-- free places; the CHECK is the last guard behind the conditional update.
CREATE TABLE session (
    id              uuid PRIMARY KEY,
    product_id      uuid NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    -- With which others it is booked, if not by itself.
    group_id        uuid REFERENCES session_group,
    -- Who gives it and where, if that matters; it has claims on them.
    resource_ids    uuid[] NOT NULL DEFAULT '{}',
    capacity        integer NOT NULL CHECK (capacity BETWEEN 0 AND 1000000),
    held            integer NOT NULL DEFAULT 0 CHECK (held >= 0),
    sold            integer NOT NULL DEFAULT 0 CHECK (sold >= 0),
    -- `closed`: not to be booked at present. `cancelled`: does not take place.
    status          text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed', 'cancelled')),
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    CONSTRAINT session_not_oversold CHECK (held + sold <= capacity)
);
CREATE INDEX session_product_start ON session (product_id, starts_at);
CREATE INDEX session_of_group ON session (group_id) WHERE group_id IS NOT NULL;

CREATE TABLE booking (
    id                   uuid PRIMARY KEY,
    reference            text NOT NULL CONSTRAINT booking_reference_taken UNIQUE,
    product_id           uuid NOT NULL,
    product_name         text NOT NULL,
    -- Who it is with, and whoever and whatever else it takes.
    resource_id          uuid,
    other_resource_ids   uuid[] NOT NULL DEFAULT '{}',
    session_id           uuid REFERENCES session,
    session_group_id     uuid REFERENCES session_group,
    -- What it takes some of.
    pool_id              uuid,
    customer_id          uuid,
    customer_name        text NOT NULL,
    customer_email       text NOT NULL,
    customer_locale      text NOT NULL,
    status               text NOT NULL CHECK (status IN
                         ('REQUESTED', 'PENDING', 'CONFIRMED', 'COMPLETED', 'NO_SHOW', 'CANCELLED', 'FAILED')),
    version              bigint NOT NULL,
    starts_at            timestamptz NOT NULL,
    ends_at              timestamptz NOT NULL CHECK (ends_at > starts_at),
    -- Wall time of the start where it happens: what was promised, should the zone's rules change.
    local_start          timestamp NOT NULL,
    timezone             text NOT NULL,
    quantity             integer NOT NULL CHECK (quantity > 0),
    price_minor          bigint NOT NULL CHECK (price_minor >= 0),
    currency             text NOT NULL,
    -- How the price came about, as it was quoted.
    price_lines          jsonb NOT NULL DEFAULT '[]',
    -- The numbered seats, as they are printed on the ticket.
    seats                jsonb NOT NULL DEFAULT '[]',
    -- The cancellation policy as it stood when booked.
    policy               jsonb NOT NULL,
    attribution          jsonb NOT NULL,
    notes                text NOT NULL DEFAULT '',
    -- Answers to the product's questions, and who takes part; none if nothing is said.
    details              jsonb,
    -- Whether money came in for it.
    paid                 boolean NOT NULL DEFAULT false,
    -- When it became certain, and when who booked came.
    confirmed_at         timestamptz,
    checked_in_at        timestamptz,
    expires_at           timestamptz,
    status_reason        text,
    refund_due_minor     bigint,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    deleted_at           timestamptz
);
CREATE INDEX booking_created ON booking (created_at, id);
-- What is called off or completed long after it was made: few, and the platform's figures look for them.
CREATE INDEX booking_changed_late ON booking (updated_at) WHERE updated_at - created_at > interval '38 days';
CREATE INDEX booking_start ON booking (starts_at);
CREATE INDEX booking_customer ON booking (customer_id, created_at) WHERE customer_id IS NOT NULL;

-- Which voucher a booking came with. It counts as used while the booking is not called off and did not lapse; money
-- that comes after that is honoured, and then there may be one use more than there should be.
CREATE TABLE voucher_use (
    booking_id      uuid PRIMARY KEY REFERENCES booking,
    voucher_id      uuid NOT NULL,
    -- Whose use it is, whoever goes in the end: `account:` and an id, or `email:` and an address in lower case.
    used_by         text NOT NULL
);
CREATE INDEX voucher_use_voucher ON voucher_use (voucher_id);
CREATE INDEX booking_expiring ON booking (expires_at) WHERE status IN ('REQUESTED', 'PENDING');

-- One resource taken from a start to an end (exclusive), buffers included. The exclusion constraint
-- is what makes a double booking impossible; `claim_lock` below is what keeps racing claims from
-- deadlocking on it.
CREATE TABLE claim (
    -- What takes it: a row of the table named so, which is written in the same statement.
    holder_id       uuid NOT NULL,
    holder          text NOT NULL CHECK (holder IN ('booking', 'session', 'block')),
    resource_id     uuid NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    state           text NOT NULL CHECK (state IN ('held', 'confirmed', 'released')),
    PRIMARY KEY (holder_id, resource_id, starts_at),
    CONSTRAINT claim_no_overlap
        EXCLUDE USING gist (resource_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
        WHERE (state IN ('held', 'confirmed'))
);
-- Reads what is taken of a resource in the order of time, from the index alone: a third of what
-- ranges cost.
CREATE INDEX claim_taken ON claim (resource_id, starts_at) INCLUDE (ends_at)
    WHERE state IN ('held', 'confirmed');
-- What was called off lately, for those who had it in their calendars.
CREATE INDEX claim_released ON claim (resource_id, starts_at) WHERE state = 'released';

-- How much of a pool is taken in a stretch of time: of rooms of a type, for a night; of canoes, for a quarter of
-- an hour. Its row is made when it is first booked. Its capacity is what the pool had when it was last booked; the
-- CHECK is the last guard behind the conditional update.
CREATE TABLE bucket (
    pool_id         uuid NOT NULL,
    -- Of a night the midnight its day begins with, on the clock of the place; of a quarter of an hour its start
    -- in UTC.
    at              timestamp NOT NULL,
    capacity        integer NOT NULL,
    held            integer NOT NULL CHECK (held >= 0),
    sold            integer NOT NULL CHECK (sold >= 0),
    PRIMARY KEY (pool_id, at),
    CONSTRAINT bucket_not_oversold CHECK (held + sold <= capacity)
);

-- What takes so much of a pool from a bucket to another (exclusive): a booking, or the block of one of the
-- pool's resources. Mirrors the buckets' counters.
CREATE TABLE bucket_claim (
    holder_id       uuid PRIMARY KEY,
    holder          text NOT NULL CHECK (holder IN ('booking', 'block')),
    pool_id         uuid NOT NULL,
    from_at         timestamp NOT NULL,
    to_at           timestamp NOT NULL CHECK (to_at > from_at),
    -- How many there are from one to the other.
    buckets         integer NOT NULL CHECK (buckets > 0),
    quantity        integer NOT NULL CHECK (quantity > 0),
    state           text NOT NULL CHECK (state IN ('held', 'confirmed', 'released'))
);
CREATE INDEX bucket_claim_pool ON bucket_claim (pool_id, from_at);

-- Time a resource is not to be had, booked or not: leave, repairs.
CREATE TABLE block (
    id              uuid PRIMARY KEY,
    resource_id     uuid NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at),
    reason          text NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE INDEX block_resource_start ON block (resource_id, starts_at);

-- Calendars outside that say when a resource is busy elsewhere. They are read again and again.
CREATE TABLE external_calendar (
    id              uuid PRIMARY KEY,
    resource_id     uuid NOT NULL,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    host            text NOT NULL,
    -- The resource's, whose clock days and times without a zone are on.
    timezone        text NOT NULL,
    -- Whoever knows it may read the calendar.
    address         text NOT NULL CHECK (length(address) BETWEEN 1 AND 4000),
    -- What its host said when it was last read, to ask whether it has changed.
    etag            text,
    last_modified   text,
    -- When its busy times were last reckoned, and when its host last said that they are still true.
    read_at         timestamptz,
    succeeded_at    timestamptz,
    -- Since it last succeeded.
    failures        integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    last_error      text,
    tried_at        timestamptz,
    -- When it is looked at next; while somebody is about it, when another may.
    due_at          timestamptz NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE INDEX external_calendar_resource ON external_calendar (resource_id);
CREATE INDEX external_calendar_due ON external_calendar (due_at);

-- When a resource is busy elsewhere, by such a calendar. May overlap what others say and what is booked here: it
-- keeps bookings from being made, and ends none.
CREATE TABLE external_busy (
    calendar_id     uuid NOT NULL REFERENCES external_calendar ON DELETE CASCADE,
    resource_id     uuid NOT NULL,
    starts_at       timestamptz NOT NULL,
    -- A longer stretch is several: those that reach into a time have begun at most so long before it.
    ends_at         timestamptz NOT NULL CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '7 days'),
    PRIMARY KEY (calendar_id, starts_at)
);
CREATE INDEX external_busy_taken ON external_busy (resource_id, starts_at) INCLUDE (ends_at);

-- Addresses at which calendar programs read the bookings of a resource or of an account: who knows one needs no
-- other proof.
CREATE TABLE calendar_feed (
    id              uuid PRIMARY KEY,
    -- SHA-256 of the token in the address.
    token_hash      bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    resource_id     uuid UNIQUE,
    account_id      uuid UNIQUE,
    -- Whether it tells customers' names.
    customer_names  boolean NOT NULL,
    -- The account that made it, if it was a person's: the address goes when the account does.
    made_by         uuid,
    created_at      timestamptz NOT NULL,
    CONSTRAINT calendar_feed_subject CHECK ((resource_id IS NULL) <> (account_id IS NULL))
);
CREATE INDEX calendar_feed_made_by ON calendar_feed (made_by) WHERE made_by IS NOT NULL;
-- As of what signs in: an address that was revoked stays so.
COMMENT ON TABLE calendar_feed IS 'transient';

-- Places a booking takes of a session, or of each of a group; mirrors the sessions' counters row by row.
CREATE TABLE session_claim (
    booking_id      uuid NOT NULL REFERENCES booking,
    session_id      uuid NOT NULL REFERENCES session,
    quantity        integer NOT NULL CHECK (quantity > 0),
    state           text NOT NULL CHECK (state IN ('held', 'confirmed', 'released')),
    PRIMARY KEY (booking_id, session_id)
);
CREATE INDEX session_claim_session ON session_claim (session_id);

-- The numbered seats a booking takes of its session, beside the places it takes of it. That nobody else has
-- them is what the index says.
CREATE TABLE session_seat (
    booking_id      uuid NOT NULL REFERENCES booking,
    session_id      uuid NOT NULL REFERENCES session,
    seat_id         integer NOT NULL CHECK (seat_id > 0),
    state           text NOT NULL CHECK (state IN ('held', 'confirmed', 'released')),
    PRIMARY KEY (booking_id, seat_id)
);
CREATE UNIQUE INDEX session_seat_taken ON session_seat (session_id, seat_id) WHERE state IN ('held', 'confirmed');

-- Who waits for places of a session, or of each of a group, that is full. What somebody was given is a booking
-- like any other, and how that ended is said there.
CREATE TABLE waitlist_entry (
    id               uuid PRIMARY KEY,
    product_id       uuid NOT NULL,
    session_id       uuid REFERENCES session,
    session_group_id uuid REFERENCES session_group,
    customer_id      uuid,
    customer         jsonb NOT NULL,
    quantity         integer NOT NULL CHECK (quantity > 0),
    status           text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'served', 'withdrawn', 'closed')),
    booking_id       uuid REFERENCES booking,
    created_at       timestamptz NOT NULL,
    CHECK ((session_id IS NULL) <> (session_group_id IS NULL)),
    CHECK ((status = 'served') = (booking_id IS NOT NULL))
);
-- Nobody stands in a line twice.
CREATE UNIQUE INDEX waitlist_entry_once ON waitlist_entry (coalesce(session_id, session_group_id), (customer->>'email'))
    WHERE status = 'waiting';
CREATE INDEX waitlist_entry_line ON waitlist_entry (coalesce(session_id, session_group_id), created_at, id)
    WHERE status = 'waiting';
CREATE INDEX waitlist_entry_customer ON waitlist_entry (customer_id, created_at) WHERE customer_id IS NOT NULL;

-- Serialises those who are about to claim the same resource. Callers pass sorted ids; the loop
-- keeps that order.
CREATE FUNCTION claim_lock(resources uuid[]) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    resource uuid;
BEGIN
    FOREACH resource IN ARRAY resources LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended(current_user || resource::text, 0));
    END LOOP;
    RETURN true;
END
$$;
