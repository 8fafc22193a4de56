-- What is offered, by whom and when. Owned by the catalog service.
CREATE TABLE category (
    id              uuid PRIMARY KEY,
    parent_id       uuid REFERENCES category,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- Among those below the same node, the lowest first; by name where it is equal.
    position        integer NOT NULL DEFAULT 0 CHECK (position BETWEEN 0 AND 100000),
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    CONSTRAINT category_not_its_own_parent CHECK (parent_id <> id)
);
CREATE INDEX category_parent ON category (parent_id);

-- Things of one sort, any of which will do: rooms of a type, canoes. Those that have names of their own are
-- resources which say so; `quantity` counts those that have none.
CREATE TABLE pool (
    id              uuid PRIMARY KEY,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    quantity        integer NOT NULL CHECK (quantity BETWEEN 0 AND 100000),
    -- What its buckets are: nights, or quarters of an hour.
    sold_by         text NOT NULL DEFAULT 'night' CHECK (sold_by IN ('night', 'time')),
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL
);

-- The numbered seats of a hall. Never changed: a seat that was sold stays the seat it was.
CREATE TABLE seat_map (
    id              uuid PRIMARY KEY,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    seats           integer NOT NULL CHECK (seats BETWEEN 1 AND 50000),
    -- [{"name": "Stalls", "rows": [{"name": "A", "zone": "premium", "numbers": ["1", "2"], "accessible": ["1"]}]}];
    -- a seat's id is its place in it, counted from 1.
    sections        jsonb NOT NULL,
    created_at      timestamptz NOT NULL
);

-- Where it takes place, for businesses that are in several.
CREATE TABLE location (
    id              uuid PRIMARY KEY,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    address         text NOT NULL DEFAULT '' CHECK (length(address) <= 1000),
    -- What wall times there are of. Never changed: resources and products there have it too.
    timezone        text NOT NULL,
    -- Degrees; both or none.
    latitude        double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude       double precision CHECK (longitude BETWEEN -180 AND 180),
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    CONSTRAINT location_point CHECK ((latitude IS NULL) = (longitude IS NULL))
);
CREATE INDEX location_place ON location (latitude, longitude) WHERE latitude IS NOT NULL;

-- How words are compared: without accents, in lower case.
CREATE FUNCTION folded(words text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT replace(lower(regexp_replace(normalize(words, NFKD), '[\u0300-\u036f]', '', 'g')), 'ß', 'ss')
$$;

-- What a text is found by: its words as they are, and their stems in a language that Postgres knows. The
-- languages are built in, so that the answer never changes.
CREATE FUNCTION searchable(language text, words text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT to_tsvector('simple', words) || to_tsvector(language::regconfig, words)
$$;

CREATE TABLE product (
    id                   uuid PRIMARY KEY,
    -- `appointment`: claims a resource for a time. `session`: claims places of a dated session. `stay`:
    -- claims some of a pool for nights. `course`: claims places of every session of a group. `rental`: claims
    -- some of a pool for a time. `table`: claims a table, or tables put together, for a party and a time.
    kind                 text NOT NULL CHECK (kind IN ('appointment', 'session', 'stay', 'course', 'rental', 'table')),
    pool_id              uuid REFERENCES pool,
    -- {"check_in": "15:00:00", "check_out": "11:00:00", "min_nights": 1, "max_nights": 30, "arrival_weekdays": [5, 6]}
    stay                 jsonb,
    -- {"min_units": 1, "max_units": 7, "opening": [{"weekday": 1, "starts": "09:00:00", "ends": "18:00:00"}]}
    rental               jsonb,
    -- The numbered seats of its sessions, and what those of a zone cost: [{"zone": "premium", "price_minor": 9000}]
    seat_map_id          uuid REFERENCES seat_map,
    zone_prices          jsonb NOT NULL DEFAULT '[]',
    category_id          uuid REFERENCES category,
    location_id          uuid REFERENCES location,
    name                 text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description          text NOT NULL DEFAULT '',
    duration_min         integer NOT NULL CHECK (duration_min BETWEEN 1 AND 1440),
    step_min             integer NOT NULL CHECK (step_min BETWEEN 1 AND 1440),
    buffer_before_min    integer NOT NULL DEFAULT 0 CHECK (buffer_before_min BETWEEN 0 AND 1440),
    buffer_after_min     integer NOT NULL DEFAULT 0 CHECK (buffer_after_min BETWEEN 0 AND 1440),
    timezone             text NOT NULL,
    price_minor          bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 100000000000),
    currency             text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    -- What changes the price, and taxes: {"rules": […], "taxes": […]}
    pricing              jsonb NOT NULL DEFAULT '{"rules": [], "taxes": []}',
    -- {"most": 2, "period": "week"}
    customer_limit       jsonb,
    -- Within so many hours the business says yes to who asks for it, or the request lapses; none if it need not.
    approval_hours       integer CHECK (approval_hours BETWEEN 1 AND 720),
    -- What is asked of who books: [{"key": "size", "label": "Which size?", "kind": "choice", "choices": ["S", "M"]}]
    questions            jsonb NOT NULL DEFAULT '[]',
    -- Whether each place is for somebody who is named.
    names_required       boolean NOT NULL DEFAULT false,
    -- `online`: paid when booked. `on_site`: confirmed at once, paid there.
    payment_mode         text NOT NULL DEFAULT 'online' CHECK (payment_mode IN ('online', 'on_site')),
    max_quantity         integer NOT NULL DEFAULT 1 CHECK (max_quantity BETWEEN 1 AND 10000),
    min_notice_min       integer NOT NULL DEFAULT 0 CHECK (min_notice_min BETWEEN 0 AND 525600),
    window_days          integer NOT NULL DEFAULT 365 CHECK (window_days BETWEEN 1 AND 1100),
    hold_min             integer NOT NULL DEFAULT 15 CHECK (hold_min BETWEEN 1 AND 1440),
    -- [{"hours_before": 24, "refund_percent": 100}, …], the tier with most hours first.
    cancellation_policy  jsonb NOT NULL DEFAULT '[]',
    -- In lower case, each once.
    tags                 text[] NOT NULL DEFAULT '{}',
    -- Its name in addresses, and what search engines show.
    slug                 text CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 100),
    meta_title           text CHECK (length(meta_title) BETWEEN 1 AND 200),
    meta_description     text CHECK (length(meta_description) BETWEEN 1 AND 500),
    -- What its texts are written in, as Postgres calls it.
    language             text NOT NULL DEFAULT 'simple' CHECK (language ~ '^[a-z]+$'),
    name_folded          text NOT NULL GENERATED ALWAYS AS (folded(name)) STORED,
    search               tsvector NOT NULL GENERATED ALWAYS AS (
                             setweight(searchable(language, folded(name)), 'A') || array_to_tsvector(tags)
                             || setweight(searchable(language, folded(description)), 'C')) STORED,
    active               boolean NOT NULL DEFAULT true,
    version              bigint NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    CONSTRAINT product_terms CHECK ((kind = 'stay') = (stay IS NOT NULL) AND (kind = 'rental') = (rental IS NOT NULL)
                                    AND (kind IN ('stay', 'rental')) = (pool_id IS NOT NULL)),
    CONSTRAINT product_seats CHECK (seat_map_id IS NULL OR kind = 'session')
);
CREATE INDEX product_category ON product (category_id) WHERE category_id IS NOT NULL;
CREATE INDEX product_location ON product (location_id) WHERE location_id IS NOT NULL;
CREATE UNIQUE INDEX product_slug_taken ON product (slug);
CREATE INDEX product_tags ON product USING gin (tags);
CREATE INDEX product_search ON product USING gin (search);
CREATE INDEX product_name_folded ON product USING gin (name_folded gin_trgm_ops);

-- Pictures of products; their files lie in the object store.
CREATE TABLE product_image (
    id              uuid PRIMARY KEY,
    product_id      uuid NOT NULL REFERENCES product,
    -- Counted from 0, without gaps.
    position        bigint NOT NULL CHECK (position >= 0),
    alt             text NOT NULL CHECK (length(alt) <= 300),
    extension       text NOT NULL CHECK (extension IN ('jpg', 'png')),
    -- Width and height in pixels: [[320, 240], [800, 600]]
    sizes           jsonb NOT NULL,
    created_at      timestamptz NOT NULL
);
CREATE INDEX product_image_product ON product_image (product_id, position);

CREATE TABLE variant (
    id              uuid PRIMARY KEY,
    product_id      uuid NOT NULL REFERENCES product,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    price_minor     bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 100000000000),
    active          boolean NOT NULL DEFAULT true,
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL
);
CREATE INDEX variant_product ON variant (product_id);

-- What can be had with a product, once for a booking: breakfast, a towel.
CREATE TABLE add_on (
    id              uuid PRIMARY KEY,
    product_id      uuid NOT NULL REFERENCES product,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    price_minor     bigint NOT NULL CHECK (price_minor BETWEEN 0 AND 100000000000),
    max_quantity    integer NOT NULL CHECK (max_quantity BETWEEN 1 AND 1000),
    -- Whether every booking has some of it.
    required        boolean NOT NULL DEFAULT false,
    active          boolean NOT NULL DEFAULT true,
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL
);
CREATE INDEX add_on_product ON add_on (product_id);

-- Codes for which a booking costs less. Who used them is the booking service's business.
CREATE TABLE voucher (
    id               uuid PRIMARY KEY,
    -- In upper case: how it is typed does not matter.
    code             text NOT NULL CONSTRAINT voucher_code_taken UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9_-]{2,39}$'),
    -- What customers read.
    label            text NOT NULL CHECK (length(label) BETWEEN 1 AND 200),
    -- Hundredths of a percent of the price, or an amount; one of them.
    basis_points     integer CHECK (basis_points BETWEEN 1 AND 10000),
    amount_minor     bigint CHECK (amount_minor BETWEEN 1 AND 100000000000),
    -- For which products; none named is for all.
    product_ids      uuid[] NOT NULL DEFAULT '{}',
    -- When it can be used, the end exclusive.
    valid_from       timestamptz,
    valid_until      timestamptz,
    -- What a booking has to cost without it.
    least_minor      bigint NOT NULL DEFAULT 0 CHECK (least_minor BETWEEN 0 AND 100000000000),
    -- How many bookings may have it: in all, and of one customer.
    max_uses         integer CHECK (max_uses BETWEEN 1 AND 1000000),
    max_per_customer integer CHECK (max_per_customer BETWEEN 1 AND 1000),
    active           boolean NOT NULL DEFAULT true,
    version          bigint NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    CONSTRAINT voucher_one_effect CHECK ((basis_points IS NULL) <> (amount_minor IS NULL)),
    CONSTRAINT voucher_period CHECK (valid_until > valid_from)
);

CREATE TABLE resource (
    id              uuid PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('staff', 'room', 'equipment', 'table')),
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    location_id     uuid REFERENCES location,
    timezone        text NOT NULL,
    -- One of which it is, if any of them will do.
    pool_id         uuid REFERENCES pool,
    -- How many sit down at it, of a table.
    party_min       integer,
    party_max       integer,
    -- In lower case, each once.
    tags            text[] NOT NULL DEFAULT '{}',
    active          boolean NOT NULL DEFAULT true,
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    CONSTRAINT resource_party CHECK ((kind = 'table') = (party_min IS NOT NULL) AND (kind = 'table') = (party_max IS NOT NULL)
                                     AND party_min >= 1 AND party_min <= party_max AND party_max <= 1000)
);
CREATE INDEX resource_location ON resource (location_id) WHERE location_id IS NOT NULL;
CREATE INDEX resource_pool ON resource (pool_id) WHERE pool_id IS NOT NULL;

-- Tables that can be put together, and for how many.
CREATE TABLE combination (
    id              uuid PRIMARY KEY,
    party_min       integer NOT NULL,
    party_max       integer NOT NULL,
    created_at      timestamptz NOT NULL,
    CONSTRAINT combination_party CHECK (party_min >= 1 AND party_min <= party_max AND party_max <= 1000)
);

CREATE TABLE combination_resource (
    combination_id  uuid NOT NULL REFERENCES combination ON DELETE CASCADE,
    resource_id     uuid NOT NULL REFERENCES resource,
    PRIMARY KEY (combination_id, resource_id)
);
CREATE INDEX combination_resource_resource ON combination_resource (resource_id);

-- What an appointment takes at once: a dentist, an assistant, a room. All of them or none.
CREATE TABLE requirement (
    id                   uuid PRIMARY KEY,
    product_id           uuid NOT NULL REFERENCES product,
    -- The first names who the appointment is with.
    position             smallint NOT NULL CHECK (position BETWEEN 1 AND 6),
    role                 text NOT NULL CHECK (length(role) BETWEEN 1 AND 100),
    quantity             integer NOT NULL CHECK (quantity BETWEEN 1 AND 20),
    -- Time each of them is busy before the start and after the end; the product's unless said.
    buffer_before_min    integer CHECK (buffer_before_min BETWEEN 0 AND 1440),
    buffer_after_min     integer CHECK (buffer_after_min BETWEEN 0 AND 1440),
    CONSTRAINT requirement_position UNIQUE (product_id, position)
);

-- Which resources can be that.
CREATE TABLE requirement_resource (
    requirement_id  uuid NOT NULL REFERENCES requirement ON DELETE CASCADE,
    resource_id     uuid NOT NULL REFERENCES resource,
    PRIMARY KEY (requirement_id, resource_id)
);
CREATE INDEX requirement_resource_resource ON requirement_resource (resource_id);

-- When a resource works: wall time in its zone, every week.
CREATE TABLE schedule_rule (
    id              uuid PRIMARY KEY,
    resource_id     uuid NOT NULL REFERENCES resource,
    -- ISO: 1 is Monday, 7 is Sunday.
    weekday         smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    starts          time NOT NULL,
    -- On the next day if it is not later than `starts`.
    ends            time NOT NULL
);
CREATE INDEX schedule_rule_resource ON schedule_rule (resource_id);

-- One day on which a resource does not keep its weekly rule: closed, or open at other times.
CREATE TABLE schedule_exception (
    id              uuid PRIMARY KEY,
    resource_id     uuid NOT NULL REFERENCES resource,
    day             date NOT NULL,
    starts          time,
    ends            time,
    CONSTRAINT schedule_exception_shape
        CHECK ((starts IS NULL) = (ends IS NULL))
);
CREATE INDEX schedule_exception_resource ON schedule_exception (resource_id, day);

-- Days on which the business keeps other hours than every week, or none: of all its schedules, but for a
-- resource that has an exception of its own on that day.
CREATE TABLE holiday (
    id              uuid PRIMARY KEY,
    day             date NOT NULL CONSTRAINT holiday_day_taken UNIQUE,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- [{"starts": "10:00:00", "ends": "14:00:00"}]; closed if there are none.
    hours           jsonb NOT NULL DEFAULT '[]',
    created_at      timestamptz NOT NULL
);

-- One number for all of the above: raised by every change, so that a compiled offering knows in
-- one look whether it is still true.
CREATE TABLE catalog_version (
    single          boolean PRIMARY KEY DEFAULT true CHECK (single),
    version         bigint NOT NULL
);
INSERT INTO catalog_version (version) VALUES (1);

-- Processes that answer the public remember the number for a moment, and hear of it when it moves.
CREATE FUNCTION tell_catalog_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_catalog_changed', TG_TABLE_SCHEMA);
    RETURN NULL;
END
$$;
CREATE TRIGGER catalog_version_told AFTER UPDATE ON catalog_version
    FOR EACH STATEMENT EXECUTE FUNCTION tell_catalog_changed();
