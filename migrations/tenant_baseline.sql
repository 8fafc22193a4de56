-- Version 9 of a tenant's schema, as one. Made by `./dev prepare` from the files in
-- `tenant`, which say why; not edited.
CREATE SCHEMA tenant_baseline;
CREATE FUNCTION tenant_baseline.claim_lock(resources uuid[]) RETURNS boolean
    LANGUAGE plpgsql
    AS $$
DECLARE
    resource uuid;
BEGIN
    FOREACH resource IN ARRAY resources LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended(current_user || resource::text, 0));
    END LOOP;
    RETURN true;
END
$$;
CREATE FUNCTION tenant_baseline.folded(words text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    SELECT replace(lower(regexp_replace(normalize(words, NFKD), '[\u0300-\u036f]', '', 'g')), 'ß', 'ss')
$$;
CREATE FUNCTION tenant_baseline.ledger_journal_balances() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger_entry WHERE journal_id = NEW.journal_id
               GROUP BY currency HAVING sum(amount_minor) <> 0) THEN
        RAISE EXCEPTION 'journal % does not balance', NEW.journal_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journal_balances';
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION tenant_baseline.searchable(language text, words text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    SELECT to_tsvector('simple', words) || to_tsvector(language::regconfig, words)
$$;
CREATE FUNCTION tenant_baseline.tell_catalog_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('berth_catalog_changed', TG_TABLE_SCHEMA);
    RETURN NULL;
END
$$;
CREATE TABLE tenant_baseline.account (
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    phone text,
    locale text NOT NULL,
    role text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    password_hash text,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT account_email_check CHECK ((email = lower(email))),
    CONSTRAINT account_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT account_role_check CHECK ((role = ANY (ARRAY['customer'::text, 'staff'::text, 'admin'::text]))),
    CONSTRAINT account_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text, 'deleted'::text])))
);
CREATE TABLE tenant_baseline.add_on (
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    name text NOT NULL,
    price_minor bigint NOT NULL,
    max_quantity integer NOT NULL,
    required boolean DEFAULT false NOT NULL,
    active boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT add_on_max_quantity_check CHECK (((max_quantity >= 1) AND (max_quantity <= 1000))),
    CONSTRAINT add_on_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT add_on_price_minor_check CHECK (((price_minor >= 0) AND (price_minor <= '100000000000'::bigint)))
);
CREATE TABLE tenant_baseline.block (
    id uuid NOT NULL,
    resource_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT block_check CHECK ((ends_at > starts_at))
);
CREATE TABLE tenant_baseline.booking (
    id uuid NOT NULL,
    reference text NOT NULL,
    product_id uuid NOT NULL,
    product_name text NOT NULL,
    resource_id uuid,
    other_resource_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    session_id uuid,
    session_group_id uuid,
    pool_id uuid,
    customer_id uuid,
    customer_name text NOT NULL,
    customer_email text NOT NULL,
    customer_locale text NOT NULL,
    status text NOT NULL,
    version bigint NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    local_start timestamp without time zone NOT NULL,
    timezone text NOT NULL,
    quantity integer NOT NULL,
    price_minor bigint NOT NULL,
    currency text NOT NULL,
    price_lines jsonb DEFAULT '[]'::jsonb NOT NULL,
    seats jsonb DEFAULT '[]'::jsonb NOT NULL,
    policy jsonb NOT NULL,
    attribution jsonb NOT NULL,
    notes text DEFAULT ''::text NOT NULL,
    details jsonb,
    paid boolean DEFAULT false NOT NULL,
    confirmed_at timestamp with time zone,
    checked_in_at timestamp with time zone,
    expires_at timestamp with time zone,
    status_reason text,
    refund_due_minor bigint,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT booking_check CHECK ((ends_at > starts_at)),
    CONSTRAINT booking_price_minor_check CHECK ((price_minor >= 0)),
    CONSTRAINT booking_quantity_check CHECK ((quantity > 0)),
    CONSTRAINT booking_status_check CHECK ((status = ANY (ARRAY['REQUESTED'::text, 'PENDING'::text, 'CONFIRMED'::text, 'COMPLETED'::text, 'NO_SHOW'::text, 'CANCELLED'::text, 'FAILED'::text])))
);
CREATE TABLE tenant_baseline.bucket (
    pool_id uuid NOT NULL,
    at timestamp without time zone NOT NULL,
    capacity integer NOT NULL,
    held integer NOT NULL,
    sold integer NOT NULL,
    CONSTRAINT bucket_held_check CHECK ((held >= 0)),
    CONSTRAINT bucket_not_oversold CHECK (((held + sold) <= capacity)),
    CONSTRAINT bucket_sold_check CHECK ((sold >= 0))
);
CREATE TABLE tenant_baseline.bucket_claim (
    holder_id uuid NOT NULL,
    holder text NOT NULL,
    pool_id uuid NOT NULL,
    from_at timestamp without time zone NOT NULL,
    to_at timestamp without time zone NOT NULL,
    buckets integer NOT NULL,
    quantity integer NOT NULL,
    state text NOT NULL,
    CONSTRAINT bucket_claim_buckets_check CHECK ((buckets > 0)),
    CONSTRAINT bucket_claim_check CHECK ((to_at > from_at)),
    CONSTRAINT bucket_claim_holder_check CHECK ((holder = ANY (ARRAY['booking'::text, 'block'::text]))),
    CONSTRAINT bucket_claim_quantity_check CHECK ((quantity > 0)),
    CONSTRAINT bucket_claim_state_check CHECK ((state = ANY (ARRAY['held'::text, 'confirmed'::text, 'released'::text])))
);
CREATE TABLE tenant_baseline.calendar_feed (
    id uuid NOT NULL,
    token_hash bytea NOT NULL,
    resource_id uuid,
    account_id uuid,
    customer_names boolean NOT NULL,
    made_by uuid,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT calendar_feed_subject CHECK (((resource_id IS NULL) <> (account_id IS NULL))),
    CONSTRAINT calendar_feed_token_hash_check CHECK ((length(token_hash) = 32))
);
COMMENT ON TABLE tenant_baseline.calendar_feed IS 'transient';
CREATE TABLE tenant_baseline.catalog_version (
    single boolean DEFAULT true NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT catalog_version_single_check CHECK (single)
);
CREATE TABLE tenant_baseline.category (
    id uuid NOT NULL,
    parent_id uuid,
    name text NOT NULL,
    "position" integer DEFAULT 0 NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT category_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT category_not_its_own_parent CHECK ((parent_id <> id)),
    CONSTRAINT category_position_check CHECK ((("position" >= 0) AND ("position" <= 100000)))
);
CREATE TABLE tenant_baseline.claim (
    holder_id uuid NOT NULL,
    holder text NOT NULL,
    resource_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    CONSTRAINT claim_check CHECK ((ends_at > starts_at)),
    CONSTRAINT claim_holder_check CHECK ((holder = ANY (ARRAY['booking'::text, 'session'::text, 'block'::text]))),
    CONSTRAINT claim_state_check CHECK ((state = ANY (ARRAY['held'::text, 'confirmed'::text, 'released'::text])))
);
CREATE TABLE tenant_baseline.combination (
    id uuid NOT NULL,
    party_min integer NOT NULL,
    party_max integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT combination_party CHECK (((party_min >= 1) AND (party_min <= party_max) AND (party_max <= 1000)))
);
CREATE TABLE tenant_baseline.combination_resource (
    combination_id uuid NOT NULL,
    resource_id uuid NOT NULL
);
CREATE TABLE tenant_baseline.connection (
    kind text NOT NULL,
    pixel_code text NOT NULL,
    access_token text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT connection_kind_check CHECK ((kind = 'tiktok'::text))
);
CREATE TABLE tenant_baseline.conversion (
    id uuid NOT NULL,
    kind text NOT NULL,
    tracked_id uuid NOT NULL,
    booking_id uuid NOT NULL,
    pixel_event_id text NOT NULL,
    status text NOT NULL,
    provider_ref text,
    last_error text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT conversion_status_check CHECK ((status = ANY (ARRAY['SENT'::text, 'REFUSED'::text])))
);
CREATE TABLE tenant_baseline.delivery (
    id uuid NOT NULL,
    channel text NOT NULL,
    template text NOT NULL,
    source text NOT NULL,
    booking_id uuid,
    recipient text NOT NULL,
    subject text NOT NULL,
    message_id text NOT NULL,
    status text NOT NULL,
    last_error text,
    created_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone,
    CONSTRAINT delivery_channel_check CHECK ((channel = 'email'::text)),
    CONSTRAINT delivery_status_check CHECK ((status = ANY (ARRAY['QUEUED'::text, 'SENT'::text, 'FAILED'::text])))
);
CREATE TABLE tenant_baseline.external_busy (
    calendar_id uuid NOT NULL,
    resource_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    CONSTRAINT external_busy_check CHECK (((ends_at > starts_at) AND (ends_at <= (starts_at + '7 days'::interval))))
);
CREATE TABLE tenant_baseline.external_calendar (
    id uuid NOT NULL,
    resource_id uuid NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    timezone text NOT NULL,
    address text NOT NULL,
    etag text,
    last_modified text,
    read_at timestamp with time zone,
    succeeded_at timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    last_error text,
    tried_at timestamp with time zone,
    due_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT external_calendar_address_check CHECK (((length(address) >= 1) AND (length(address) <= 4000))),
    CONSTRAINT external_calendar_failures_check CHECK ((failures >= 0)),
    CONSTRAINT external_calendar_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);
CREATE TABLE tenant_baseline.holiday (
    id uuid NOT NULL,
    day date NOT NULL,
    name text NOT NULL,
    hours jsonb DEFAULT '[]'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT holiday_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);
CREATE TABLE tenant_baseline.idempotency (
    principal text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    body text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE tenant_baseline.inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    handled_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE tenant_baseline.inbox_cursor (
    consumer text NOT NULL,
    entity_type text NOT NULL,
    entity_id uuid NOT NULL,
    version bigint NOT NULL
);
CREATE TABLE tenant_baseline.inbox_failure (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    tries integer NOT NULL,
    last_error text NOT NULL,
    failed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE tenant_baseline.ledger_entry (
    id uuid NOT NULL,
    journal_id uuid NOT NULL,
    account text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    CONSTRAINT ledger_entry_account_check CHECK ((account = ANY (ARRAY['provider_balance'::text, 'sales'::text, 'refunds'::text, 'processing_fees'::text, 'platform_fees'::text])))
);
CREATE TABLE tenant_baseline.ledger_journal (
    id uuid NOT NULL,
    source text NOT NULL,
    payment_id uuid NOT NULL,
    posted_at timestamp with time zone NOT NULL
);
CREATE TABLE tenant_baseline.location (
    id uuid NOT NULL,
    name text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    timezone text NOT NULL,
    latitude double precision,
    longitude double precision,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT location_address_check CHECK ((length(address) <= 1000)),
    CONSTRAINT location_latitude_check CHECK (((latitude >= ('-90'::integer)::double precision) AND (latitude <= (90)::double precision))),
    CONSTRAINT location_longitude_check CHECK (((longitude >= ('-180'::integer)::double precision) AND (longitude <= (180)::double precision))),
    CONSTRAINT location_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT location_point CHECK (((latitude IS NULL) = (longitude IS NULL)))
);
CREATE TABLE tenant_baseline.login_session (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    kind text NOT NULL,
    token_hash bytea,
    user_agent text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT login_session_check CHECK (((kind = 'portal'::text) = (token_hash IS NOT NULL))),
    CONSTRAINT login_session_kind_check CHECK ((kind = ANY (ARRAY['api'::text, 'portal'::text])))
);
COMMENT ON TABLE tenant_baseline.login_session IS 'transient';
CREATE TABLE tenant_baseline.notified_booking (
    booking_id uuid NOT NULL,
    version bigint NOT NULL,
    confirmed boolean NOT NULL
);
CREATE TABLE tenant_baseline.payment (
    id uuid NOT NULL,
    booking_id uuid NOT NULL,
    status text NOT NULL,
    version bigint NOT NULL,
    amount_minor bigint NOT NULL,
    refunded_minor bigint DEFAULT 0 NOT NULL,
    currency text NOT NULL,
    fee_minor bigint NOT NULL,
    provider text NOT NULL,
    account_id text NOT NULL,
    provider_ref text,
    client_secret text,
    method text,
    failure_code text,
    booking jsonb NOT NULL,
    expires_at timestamp with time zone,
    correlation_id uuid NOT NULL,
    check_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT payment_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT payment_fee_minor_check CHECK ((fee_minor >= 0)),
    CONSTRAINT payment_not_over_refunded CHECK ((refunded_minor <= amount_minor)),
    CONSTRAINT payment_refunded_minor_check CHECK ((refunded_minor >= 0)),
    CONSTRAINT payment_status_check CHECK ((status = ANY (ARRAY['CREATED'::text, 'REQUIRES_PAYMENT'::text, 'REQUIRES_ACTION'::text, 'PROCESSING'::text, 'SUCCEEDED'::text, 'PARTIALLY_REFUNDED'::text, 'REFUNDED'::text, 'CANCELED'::text])))
);
CREATE TABLE tenant_baseline.payment_attempt (
    idempotency_key text NOT NULL,
    payment_id uuid NOT NULL,
    action text NOT NULL,
    outcome text,
    lost integer DEFAULT 0 NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT payment_attempt_action_check CHECK ((action = ANY (ARRAY['create'::text, 'cancel'::text, 'refund'::text]))),
    CONSTRAINT payment_attempt_outcome_check CHECK ((outcome = ANY (ARRAY['OK'::text, 'FAILED'::text, 'INDETERMINATE'::text])))
);
CREATE TABLE tenant_baseline.pool (
    id uuid NOT NULL,
    name text NOT NULL,
    quantity integer NOT NULL,
    sold_by text DEFAULT 'night'::text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT pool_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT pool_quantity_check CHECK (((quantity >= 0) AND (quantity <= 100000))),
    CONSTRAINT pool_sold_by_check CHECK ((sold_by = ANY (ARRAY['night'::text, 'time'::text])))
);
CREATE TABLE tenant_baseline.product (
    id uuid NOT NULL,
    kind text NOT NULL,
    pool_id uuid,
    stay jsonb,
    rental jsonb,
    seat_map_id uuid,
    zone_prices jsonb DEFAULT '[]'::jsonb NOT NULL,
    category_id uuid,
    location_id uuid,
    name text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    duration_min integer NOT NULL,
    step_min integer NOT NULL,
    buffer_before_min integer DEFAULT 0 NOT NULL,
    buffer_after_min integer DEFAULT 0 NOT NULL,
    timezone text NOT NULL,
    price_minor bigint NOT NULL,
    currency text NOT NULL,
    pricing jsonb DEFAULT '{"rules": [], "taxes": []}'::jsonb NOT NULL,
    customer_limit jsonb,
    approval_hours integer,
    questions jsonb DEFAULT '[]'::jsonb NOT NULL,
    names_required boolean DEFAULT false NOT NULL,
    payment_mode text DEFAULT 'online'::text NOT NULL,
    max_quantity integer DEFAULT 1 NOT NULL,
    min_notice_min integer DEFAULT 0 NOT NULL,
    window_days integer DEFAULT 365 NOT NULL,
    hold_min integer DEFAULT 15 NOT NULL,
    cancellation_policy jsonb DEFAULT '[]'::jsonb NOT NULL,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    slug text,
    meta_title text,
    meta_description text,
    language text DEFAULT 'simple'::text NOT NULL,
    name_folded text GENERATED ALWAYS AS (tenant_baseline.folded(name)) STORED NOT NULL,
    search tsvector GENERATED ALWAYS AS (((setweight(tenant_baseline.searchable(language, tenant_baseline.folded(name)), 'A'::"char") || array_to_tsvector(tags)) || setweight(tenant_baseline.searchable(language, tenant_baseline.folded(description)), 'C'::"char"))) STORED NOT NULL,
    active boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT product_approval_hours_check CHECK (((approval_hours >= 1) AND (approval_hours <= 720))),
    CONSTRAINT product_buffer_after_min_check CHECK (((buffer_after_min >= 0) AND (buffer_after_min <= 1440))),
    CONSTRAINT product_buffer_before_min_check CHECK (((buffer_before_min >= 0) AND (buffer_before_min <= 1440))),
    CONSTRAINT product_currency_check CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT product_duration_min_check CHECK (((duration_min >= 1) AND (duration_min <= 1440))),
    CONSTRAINT product_hold_min_check CHECK (((hold_min >= 1) AND (hold_min <= 1440))),
    CONSTRAINT product_kind_check CHECK ((kind = ANY (ARRAY['appointment'::text, 'session'::text, 'stay'::text, 'course'::text, 'rental'::text, 'table'::text]))),
    CONSTRAINT product_language_check CHECK ((language ~ '^[a-z]+$'::text)),
    CONSTRAINT product_max_quantity_check CHECK (((max_quantity >= 1) AND (max_quantity <= 10000))),
    CONSTRAINT product_meta_description_check CHECK (((length(meta_description) >= 1) AND (length(meta_description) <= 500))),
    CONSTRAINT product_meta_title_check CHECK (((length(meta_title) >= 1) AND (length(meta_title) <= 200))),
    CONSTRAINT product_min_notice_min_check CHECK (((min_notice_min >= 0) AND (min_notice_min <= 525600))),
    CONSTRAINT product_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT product_payment_mode_check CHECK ((payment_mode = ANY (ARRAY['online'::text, 'on_site'::text]))),
    CONSTRAINT product_price_minor_check CHECK (((price_minor >= 0) AND (price_minor <= '100000000000'::bigint))),
    CONSTRAINT product_seats CHECK (((seat_map_id IS NULL) OR (kind = 'session'::text))),
    CONSTRAINT product_slug_check CHECK (((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text) AND (length(slug) <= 100))),
    CONSTRAINT product_step_min_check CHECK (((step_min >= 1) AND (step_min <= 1440))),
    CONSTRAINT product_terms CHECK ((((kind = 'stay'::text) = (stay IS NOT NULL)) AND ((kind = 'rental'::text) = (rental IS NOT NULL)) AND ((kind = ANY (ARRAY['stay'::text, 'rental'::text])) = (pool_id IS NOT NULL)))),
    CONSTRAINT product_window_days_check CHECK (((window_days >= 1) AND (window_days <= 1100)))
);
CREATE TABLE tenant_baseline.product_image (
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    "position" bigint NOT NULL,
    alt text NOT NULL,
    extension text NOT NULL,
    sizes jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT product_image_alt_check CHECK ((length(alt) <= 300)),
    CONSTRAINT product_image_extension_check CHECK ((extension = ANY (ARRAY['jpg'::text, 'png'::text]))),
    CONSTRAINT product_image_position_check CHECK (("position" >= 0))
);
CREATE TABLE tenant_baseline.receipt (
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    booking_id uuid NOT NULL,
    customer_id uuid,
    number text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    path text NOT NULL,
    content jsonb NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    stored_at timestamp with time zone
);
CREATE TABLE tenant_baseline.receipt_counter (
    year integer NOT NULL,
    last bigint NOT NULL
);
CREATE TABLE tenant_baseline.refresh_token (
    token_hash bytea NOT NULL,
    session_id uuid NOT NULL,
    replaced_at timestamp with time zone
);
COMMENT ON TABLE tenant_baseline.refresh_token IS 'transient';
CREATE TABLE tenant_baseline.refund (
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    source text NOT NULL,
    status text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    reason text NOT NULL,
    provider_ref text,
    failure_code text,
    correlation_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT refund_amount_minor_check CHECK ((amount_minor > 0)),
    CONSTRAINT refund_status_check CHECK ((status = ANY (ARRAY['REQUESTED'::text, 'PENDING'::text, 'SUCCEEDED'::text, 'FAILED'::text, 'CANCELED'::text])))
);
CREATE TABLE tenant_baseline.requirement (
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    "position" smallint NOT NULL,
    role text NOT NULL,
    quantity integer NOT NULL,
    buffer_before_min integer,
    buffer_after_min integer,
    CONSTRAINT requirement_buffer_after_min_check CHECK (((buffer_after_min >= 0) AND (buffer_after_min <= 1440))),
    CONSTRAINT requirement_buffer_before_min_check CHECK (((buffer_before_min >= 0) AND (buffer_before_min <= 1440))),
    CONSTRAINT requirement_position_check CHECK ((("position" >= 1) AND ("position" <= 6))),
    CONSTRAINT requirement_quantity_check CHECK (((quantity >= 1) AND (quantity <= 20))),
    CONSTRAINT requirement_role_check CHECK (((length(role) >= 1) AND (length(role) <= 100)))
);
CREATE TABLE tenant_baseline.requirement_resource (
    requirement_id uuid NOT NULL,
    resource_id uuid NOT NULL
);
CREATE TABLE tenant_baseline.resource (
    id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    location_id uuid,
    timezone text NOT NULL,
    pool_id uuid,
    party_min integer,
    party_max integer,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    active boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT resource_kind_check CHECK ((kind = ANY (ARRAY['staff'::text, 'room'::text, 'equipment'::text, 'table'::text]))),
    CONSTRAINT resource_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT resource_party CHECK ((((kind = 'table'::text) = (party_min IS NOT NULL)) AND ((kind = 'table'::text) = (party_max IS NOT NULL)) AND (party_min >= 1) AND (party_min <= party_max) AND (party_max <= 1000)))
);
CREATE TABLE tenant_baseline.schedule_exception (
    id uuid NOT NULL,
    resource_id uuid NOT NULL,
    day date NOT NULL,
    starts time without time zone,
    ends time without time zone,
    CONSTRAINT schedule_exception_shape CHECK (((starts IS NULL) = (ends IS NULL)))
);
CREATE TABLE tenant_baseline.schedule_rule (
    id uuid NOT NULL,
    resource_id uuid NOT NULL,
    weekday smallint NOT NULL,
    starts time without time zone NOT NULL,
    ends time without time zone NOT NULL,
    CONSTRAINT schedule_rule_weekday_check CHECK (((weekday >= 1) AND (weekday <= 7)))
);
CREATE TABLE tenant_baseline.seat_map (
    id uuid NOT NULL,
    name text NOT NULL,
    seats integer NOT NULL,
    sections jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT seat_map_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT seat_map_seats_check CHECK (((seats >= 1) AND (seats <= 50000)))
);
CREATE TABLE tenant_baseline.session (
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    starts_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    group_id uuid,
    resource_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    capacity integer NOT NULL,
    held integer DEFAULT 0 NOT NULL,
    sold integer DEFAULT 0 NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT session_capacity_check CHECK (((capacity >= 0) AND (capacity <= 1000000))),
    CONSTRAINT session_check CHECK ((ends_at > starts_at)),
    CONSTRAINT session_held_check CHECK ((held >= 0)),
    CONSTRAINT session_not_oversold CHECK (((held + sold) <= capacity)),
    CONSTRAINT session_sold_check CHECK ((sold >= 0)),
    CONSTRAINT session_status_check CHECK ((status = ANY (ARRAY['open'::text, 'closed'::text, 'cancelled'::text])))
);
CREATE TABLE tenant_baseline.session_claim (
    booking_id uuid NOT NULL,
    session_id uuid NOT NULL,
    quantity integer NOT NULL,
    state text NOT NULL,
    CONSTRAINT session_claim_quantity_check CHECK ((quantity > 0)),
    CONSTRAINT session_claim_state_check CHECK ((state = ANY (ARRAY['held'::text, 'confirmed'::text, 'released'::text])))
);
CREATE TABLE tenant_baseline.session_group (
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    name text NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT session_group_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT session_group_status_check CHECK ((status = ANY (ARRAY['open'::text, 'closed'::text, 'cancelled'::text])))
);
CREATE TABLE tenant_baseline.session_seat (
    booking_id uuid NOT NULL,
    session_id uuid NOT NULL,
    seat_id integer NOT NULL,
    state text NOT NULL,
    CONSTRAINT session_seat_seat_id_check CHECK ((seat_id > 0)),
    CONSTRAINT session_seat_state_check CHECK ((state = ANY (ARRAY['held'::text, 'confirmed'::text, 'released'::text])))
);
CREATE TABLE tenant_baseline.tracked_event (
    id uuid NOT NULL,
    name text NOT NULL,
    source_id uuid NOT NULL,
    booking_id uuid,
    pixel_event_id text,
    value_minor bigint,
    currency text,
    attribution jsonb NOT NULL,
    happened_at timestamp with time zone NOT NULL
);
CREATE TABLE tenant_baseline.variant (
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    name text NOT NULL,
    price_minor bigint NOT NULL,
    active boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT variant_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT variant_price_minor_check CHECK (((price_minor >= 0) AND (price_minor <= '100000000000'::bigint)))
);
CREATE TABLE tenant_baseline.voucher (
    id uuid NOT NULL,
    code text NOT NULL,
    label text NOT NULL,
    basis_points integer,
    amount_minor bigint,
    product_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    valid_from timestamp with time zone,
    valid_until timestamp with time zone,
    least_minor bigint DEFAULT 0 NOT NULL,
    max_uses integer,
    max_per_customer integer,
    active boolean DEFAULT true NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT voucher_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '100000000000'::bigint))),
    CONSTRAINT voucher_basis_points_check CHECK (((basis_points >= 1) AND (basis_points <= 10000))),
    CONSTRAINT voucher_code_check CHECK ((code ~ '^[A-Z0-9][A-Z0-9_-]{2,39}$'::text)),
    CONSTRAINT voucher_label_check CHECK (((length(label) >= 1) AND (length(label) <= 200))),
    CONSTRAINT voucher_least_minor_check CHECK (((least_minor >= 0) AND (least_minor <= '100000000000'::bigint))),
    CONSTRAINT voucher_max_per_customer_check CHECK (((max_per_customer >= 1) AND (max_per_customer <= 1000))),
    CONSTRAINT voucher_max_uses_check CHECK (((max_uses >= 1) AND (max_uses <= 1000000))),
    CONSTRAINT voucher_one_effect CHECK (((basis_points IS NULL) <> (amount_minor IS NULL))),
    CONSTRAINT voucher_period CHECK ((valid_until > valid_from))
);
CREATE TABLE tenant_baseline.voucher_use (
    booking_id uuid NOT NULL,
    voucher_id uuid NOT NULL,
    used_by text NOT NULL
);
CREATE TABLE tenant_baseline.waitlist_entry (
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    session_id uuid,
    session_group_id uuid,
    customer_id uuid,
    customer jsonb NOT NULL,
    quantity integer NOT NULL,
    status text DEFAULT 'waiting'::text NOT NULL,
    booking_id uuid,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT waitlist_entry_check CHECK (((session_id IS NULL) <> (session_group_id IS NULL))),
    CONSTRAINT waitlist_entry_check1 CHECK (((status = 'served'::text) = (booking_id IS NOT NULL))),
    CONSTRAINT waitlist_entry_quantity_check CHECK ((quantity > 0)),
    CONSTRAINT waitlist_entry_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'served'::text, 'withdrawn'::text, 'closed'::text])))
);
INSERT INTO tenant_baseline.catalog_version VALUES (true, 1);
ALTER TABLE ONLY tenant_baseline.account
    ADD CONSTRAINT account_email_taken UNIQUE (email);
ALTER TABLE ONLY tenant_baseline.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.add_on
    ADD CONSTRAINT add_on_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.block
    ADD CONSTRAINT block_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.booking
    ADD CONSTRAINT booking_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.booking
    ADD CONSTRAINT booking_reference_taken UNIQUE (reference);
ALTER TABLE ONLY tenant_baseline.bucket_claim
    ADD CONSTRAINT bucket_claim_pkey PRIMARY KEY (holder_id);
ALTER TABLE ONLY tenant_baseline.bucket
    ADD CONSTRAINT bucket_pkey PRIMARY KEY (pool_id, at);
ALTER TABLE ONLY tenant_baseline.calendar_feed
    ADD CONSTRAINT calendar_feed_account_id_key UNIQUE (account_id);
ALTER TABLE ONLY tenant_baseline.calendar_feed
    ADD CONSTRAINT calendar_feed_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.calendar_feed
    ADD CONSTRAINT calendar_feed_resource_id_key UNIQUE (resource_id);
ALTER TABLE ONLY tenant_baseline.calendar_feed
    ADD CONSTRAINT calendar_feed_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY tenant_baseline.catalog_version
    ADD CONSTRAINT catalog_version_pkey PRIMARY KEY (single);
ALTER TABLE ONLY tenant_baseline.category
    ADD CONSTRAINT category_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.claim
    ADD CONSTRAINT claim_no_overlap EXCLUDE USING gist (resource_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE ((state = ANY (ARRAY['held'::text, 'confirmed'::text])));
ALTER TABLE ONLY tenant_baseline.claim
    ADD CONSTRAINT claim_pkey PRIMARY KEY (holder_id, resource_id, starts_at);
ALTER TABLE ONLY tenant_baseline.combination
    ADD CONSTRAINT combination_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.combination_resource
    ADD CONSTRAINT combination_resource_pkey PRIMARY KEY (combination_id, resource_id);
ALTER TABLE ONLY tenant_baseline.connection
    ADD CONSTRAINT connection_pkey PRIMARY KEY (kind);
ALTER TABLE ONLY tenant_baseline.conversion
    ADD CONSTRAINT conversion_once UNIQUE (kind, tracked_id);
ALTER TABLE ONLY tenant_baseline.conversion
    ADD CONSTRAINT conversion_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.delivery
    ADD CONSTRAINT delivery_message_id_key UNIQUE (message_id);
ALTER TABLE ONLY tenant_baseline.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.delivery
    ADD CONSTRAINT delivery_source_taken UNIQUE (source);
ALTER TABLE ONLY tenant_baseline.external_busy
    ADD CONSTRAINT external_busy_pkey PRIMARY KEY (calendar_id, starts_at);
ALTER TABLE ONLY tenant_baseline.external_calendar
    ADD CONSTRAINT external_calendar_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.holiday
    ADD CONSTRAINT holiday_day_taken UNIQUE (day);
ALTER TABLE ONLY tenant_baseline.holiday
    ADD CONSTRAINT holiday_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (principal, route, key);
ALTER TABLE ONLY tenant_baseline.inbox_cursor
    ADD CONSTRAINT inbox_cursor_pkey PRIMARY KEY (consumer, entity_type, entity_id);
ALTER TABLE ONLY tenant_baseline.inbox_failure
    ADD CONSTRAINT inbox_failure_pkey PRIMARY KEY (consumer, event_id);
ALTER TABLE ONLY tenant_baseline.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (consumer, event_id);
ALTER TABLE ONLY tenant_baseline.ledger_entry
    ADD CONSTRAINT ledger_entry_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.ledger_journal
    ADD CONSTRAINT ledger_journal_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.ledger_journal
    ADD CONSTRAINT ledger_journal_source_taken UNIQUE (source);
ALTER TABLE ONLY tenant_baseline.location
    ADD CONSTRAINT location_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.login_session
    ADD CONSTRAINT login_session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.login_session
    ADD CONSTRAINT login_session_token_hash_key UNIQUE (token_hash);
ALTER TABLE ONLY tenant_baseline.notified_booking
    ADD CONSTRAINT notified_booking_pkey PRIMARY KEY (booking_id);
ALTER TABLE ONLY tenant_baseline.payment_attempt
    ADD CONSTRAINT payment_attempt_pkey PRIMARY KEY (idempotency_key);
ALTER TABLE ONLY tenant_baseline.payment
    ADD CONSTRAINT payment_one_per_booking UNIQUE (booking_id);
ALTER TABLE ONLY tenant_baseline.payment
    ADD CONSTRAINT payment_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.payment
    ADD CONSTRAINT payment_provider_ref_key UNIQUE (provider_ref);
ALTER TABLE ONLY tenant_baseline.pool
    ADD CONSTRAINT pool_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.product_image
    ADD CONSTRAINT product_image_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.receipt_counter
    ADD CONSTRAINT receipt_counter_pkey PRIMARY KEY (year);
ALTER TABLE ONLY tenant_baseline.receipt
    ADD CONSTRAINT receipt_number_key UNIQUE (number);
ALTER TABLE ONLY tenant_baseline.receipt
    ADD CONSTRAINT receipt_one_per_payment UNIQUE (payment_id);
ALTER TABLE ONLY tenant_baseline.receipt
    ADD CONSTRAINT receipt_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.refresh_token
    ADD CONSTRAINT refresh_token_pkey PRIMARY KEY (token_hash);
ALTER TABLE ONLY tenant_baseline.refund
    ADD CONSTRAINT refund_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.refund
    ADD CONSTRAINT refund_provider_ref_key UNIQUE (provider_ref);
ALTER TABLE ONLY tenant_baseline.refund
    ADD CONSTRAINT refund_source_taken UNIQUE (source);
ALTER TABLE ONLY tenant_baseline.requirement
    ADD CONSTRAINT requirement_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.requirement
    ADD CONSTRAINT requirement_position UNIQUE (product_id, "position");
ALTER TABLE ONLY tenant_baseline.requirement_resource
    ADD CONSTRAINT requirement_resource_pkey PRIMARY KEY (requirement_id, resource_id);
ALTER TABLE ONLY tenant_baseline.resource
    ADD CONSTRAINT resource_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.schedule_exception
    ADD CONSTRAINT schedule_exception_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.schedule_rule
    ADD CONSTRAINT schedule_rule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.seat_map
    ADD CONSTRAINT seat_map_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.session_claim
    ADD CONSTRAINT session_claim_pkey PRIMARY KEY (booking_id, session_id);
ALTER TABLE ONLY tenant_baseline.session_group
    ADD CONSTRAINT session_group_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.session_seat
    ADD CONSTRAINT session_seat_pkey PRIMARY KEY (booking_id, seat_id);
ALTER TABLE ONLY tenant_baseline.tracked_event
    ADD CONSTRAINT tracked_event_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.tracked_event
    ADD CONSTRAINT tracked_event_source_id_key UNIQUE (source_id);
ALTER TABLE ONLY tenant_baseline.variant
    ADD CONSTRAINT variant_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.voucher
    ADD CONSTRAINT voucher_code_taken UNIQUE (code);
ALTER TABLE ONLY tenant_baseline.voucher
    ADD CONSTRAINT voucher_pkey PRIMARY KEY (id);
ALTER TABLE ONLY tenant_baseline.voucher_use
    ADD CONSTRAINT voucher_use_pkey PRIMARY KEY (booking_id);
ALTER TABLE ONLY tenant_baseline.waitlist_entry
    ADD CONSTRAINT waitlist_entry_pkey PRIMARY KEY (id);
CREATE INDEX account_newest ON tenant_baseline.account USING btree (created_at DESC, id DESC);
CREATE INDEX add_on_product ON tenant_baseline.add_on USING btree (product_id);
CREATE INDEX block_resource_start ON tenant_baseline.block USING btree (resource_id, starts_at);
CREATE INDEX booking_changed_late ON tenant_baseline.booking USING btree (updated_at) WHERE ((updated_at - created_at) > '38 days'::interval);
CREATE INDEX booking_created ON tenant_baseline.booking USING btree (created_at, id);
CREATE INDEX booking_customer ON tenant_baseline.booking USING btree (customer_id, created_at) WHERE (customer_id IS NOT NULL);
CREATE INDEX booking_expiring ON tenant_baseline.booking USING btree (expires_at) WHERE (status = ANY (ARRAY['REQUESTED'::text, 'PENDING'::text]));
CREATE INDEX booking_start ON tenant_baseline.booking USING btree (starts_at);
CREATE INDEX bucket_claim_pool ON tenant_baseline.bucket_claim USING btree (pool_id, from_at);
CREATE INDEX calendar_feed_made_by ON tenant_baseline.calendar_feed USING btree (made_by) WHERE (made_by IS NOT NULL);
CREATE INDEX category_parent ON tenant_baseline.category USING btree (parent_id);
CREATE INDEX claim_released ON tenant_baseline.claim USING btree (resource_id, starts_at) WHERE (state = 'released'::text);
CREATE INDEX claim_taken ON tenant_baseline.claim USING btree (resource_id, starts_at) INCLUDE (ends_at) WHERE (state = ANY (ARRAY['held'::text, 'confirmed'::text]));
CREATE INDEX combination_resource_resource ON tenant_baseline.combination_resource USING btree (resource_id);
CREATE INDEX conversion_booking ON tenant_baseline.conversion USING btree (booking_id);
CREATE INDEX delivery_booking ON tenant_baseline.delivery USING btree (booking_id);
CREATE INDEX external_busy_taken ON tenant_baseline.external_busy USING btree (resource_id, starts_at) INCLUDE (ends_at);
CREATE INDEX external_calendar_due ON tenant_baseline.external_calendar USING btree (due_at);
CREATE INDEX external_calendar_resource ON tenant_baseline.external_calendar USING btree (resource_id);
CREATE INDEX idempotency_created ON tenant_baseline.idempotency USING brin (created_at);
CREATE INDEX inbox_handled ON tenant_baseline.inbox USING brin (handled_at);
CREATE INDEX ledger_entry_journal ON tenant_baseline.ledger_entry USING btree (journal_id);
CREATE INDEX ledger_journal_posted ON tenant_baseline.ledger_journal USING brin (posted_at);
CREATE INDEX location_place ON tenant_baseline.location USING btree (latitude, longitude) WHERE (latitude IS NOT NULL);
CREATE INDEX login_session_account ON tenant_baseline.login_session USING btree (account_id);
CREATE INDEX payment_attempt_payment ON tenant_baseline.payment_attempt USING btree (payment_id);
CREATE INDEX payment_check ON tenant_baseline.payment USING btree (check_at) WHERE (check_at IS NOT NULL);
CREATE INDEX payment_created ON tenant_baseline.payment USING btree (created_at, id);
CREATE INDEX product_category ON tenant_baseline.product USING btree (category_id) WHERE (category_id IS NOT NULL);
CREATE INDEX product_image_product ON tenant_baseline.product_image USING btree (product_id, "position");
CREATE INDEX product_location ON tenant_baseline.product USING btree (location_id) WHERE (location_id IS NOT NULL);
CREATE INDEX product_name_folded ON tenant_baseline.product USING gin (name_folded public.gin_trgm_ops);
CREATE INDEX product_search ON tenant_baseline.product USING gin (search);
CREATE UNIQUE INDEX product_slug_taken ON tenant_baseline.product USING btree (slug);
CREATE INDEX product_tags ON tenant_baseline.product USING gin (tags);
CREATE INDEX receipt_booking ON tenant_baseline.receipt USING btree (booking_id);
CREATE INDEX refresh_token_session ON tenant_baseline.refresh_token USING btree (session_id);
CREATE INDEX refund_open ON tenant_baseline.refund USING btree (updated_at) WHERE (status = ANY (ARRAY['REQUESTED'::text, 'PENDING'::text]));
CREATE INDEX refund_payment ON tenant_baseline.refund USING btree (payment_id);
CREATE INDEX requirement_resource_resource ON tenant_baseline.requirement_resource USING btree (resource_id);
CREATE INDEX resource_location ON tenant_baseline.resource USING btree (location_id) WHERE (location_id IS NOT NULL);
CREATE INDEX resource_pool ON tenant_baseline.resource USING btree (pool_id) WHERE (pool_id IS NOT NULL);
CREATE INDEX schedule_exception_resource ON tenant_baseline.schedule_exception USING btree (resource_id, day);
CREATE INDEX schedule_rule_resource ON tenant_baseline.schedule_rule USING btree (resource_id);
CREATE INDEX session_claim_session ON tenant_baseline.session_claim USING btree (session_id);
CREATE INDEX session_of_group ON tenant_baseline.session USING btree (group_id) WHERE (group_id IS NOT NULL);
CREATE INDEX session_product_start ON tenant_baseline.session USING btree (product_id, starts_at);
CREATE UNIQUE INDEX session_seat_taken ON tenant_baseline.session_seat USING btree (session_id, seat_id) WHERE (state = ANY (ARRAY['held'::text, 'confirmed'::text]));
CREATE INDEX tracked_event_time ON tenant_baseline.tracked_event USING btree (happened_at);
CREATE INDEX variant_product ON tenant_baseline.variant USING btree (product_id);
CREATE INDEX voucher_use_voucher ON tenant_baseline.voucher_use USING btree (voucher_id);
CREATE INDEX waitlist_entry_customer ON tenant_baseline.waitlist_entry USING btree (customer_id, created_at) WHERE (customer_id IS NOT NULL);
CREATE INDEX waitlist_entry_line ON tenant_baseline.waitlist_entry USING btree (COALESCE(session_id, session_group_id), created_at, id) WHERE (status = 'waiting'::text);
CREATE UNIQUE INDEX waitlist_entry_once ON tenant_baseline.waitlist_entry USING btree (COALESCE(session_id, session_group_id), ((customer ->> 'email'::text))) WHERE (status = 'waiting'::text);
CREATE TRIGGER catalog_version_told AFTER UPDATE ON tenant_baseline.catalog_version FOR EACH STATEMENT EXECUTE FUNCTION tenant_baseline.tell_catalog_changed();
CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON tenant_baseline.ledger_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tenant_baseline.ledger_journal_balances();
ALTER TABLE ONLY tenant_baseline.add_on
    ADD CONSTRAINT add_on_product_id_fkey FOREIGN KEY (product_id) REFERENCES tenant_baseline.product(id);
ALTER TABLE ONLY tenant_baseline.booking
    ADD CONSTRAINT booking_session_group_id_fkey FOREIGN KEY (session_group_id) REFERENCES tenant_baseline.session_group(id);
ALTER TABLE ONLY tenant_baseline.booking
    ADD CONSTRAINT booking_session_id_fkey FOREIGN KEY (session_id) REFERENCES tenant_baseline.session(id);
ALTER TABLE ONLY tenant_baseline.category
    ADD CONSTRAINT category_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES tenant_baseline.category(id);
ALTER TABLE ONLY tenant_baseline.combination_resource
    ADD CONSTRAINT combination_resource_combination_id_fkey FOREIGN KEY (combination_id) REFERENCES tenant_baseline.combination(id) ON DELETE CASCADE;
ALTER TABLE ONLY tenant_baseline.combination_resource
    ADD CONSTRAINT combination_resource_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES tenant_baseline.resource(id);
ALTER TABLE ONLY tenant_baseline.external_busy
    ADD CONSTRAINT external_busy_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES tenant_baseline.external_calendar(id) ON DELETE CASCADE;
ALTER TABLE ONLY tenant_baseline.ledger_entry
    ADD CONSTRAINT ledger_entry_journal_id_fkey FOREIGN KEY (journal_id) REFERENCES tenant_baseline.ledger_journal(id);
ALTER TABLE ONLY tenant_baseline.ledger_journal
    ADD CONSTRAINT ledger_journal_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES tenant_baseline.payment(id);
ALTER TABLE ONLY tenant_baseline.login_session
    ADD CONSTRAINT login_session_account_id_fkey FOREIGN KEY (account_id) REFERENCES tenant_baseline.account(id);
ALTER TABLE ONLY tenant_baseline.payment_attempt
    ADD CONSTRAINT payment_attempt_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES tenant_baseline.payment(id);
ALTER TABLE ONLY tenant_baseline.product
    ADD CONSTRAINT product_category_id_fkey FOREIGN KEY (category_id) REFERENCES tenant_baseline.category(id);
ALTER TABLE ONLY tenant_baseline.product_image
    ADD CONSTRAINT product_image_product_id_fkey FOREIGN KEY (product_id) REFERENCES tenant_baseline.product(id);
ALTER TABLE ONLY tenant_baseline.product
    ADD CONSTRAINT product_location_id_fkey FOREIGN KEY (location_id) REFERENCES tenant_baseline.location(id);
ALTER TABLE ONLY tenant_baseline.product
    ADD CONSTRAINT product_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES tenant_baseline.pool(id);
ALTER TABLE ONLY tenant_baseline.product
    ADD CONSTRAINT product_seat_map_id_fkey FOREIGN KEY (seat_map_id) REFERENCES tenant_baseline.seat_map(id);
ALTER TABLE ONLY tenant_baseline.refresh_token
    ADD CONSTRAINT refresh_token_session_id_fkey FOREIGN KEY (session_id) REFERENCES tenant_baseline.login_session(id) ON DELETE CASCADE;
ALTER TABLE ONLY tenant_baseline.refund
    ADD CONSTRAINT refund_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES tenant_baseline.payment(id);
ALTER TABLE ONLY tenant_baseline.requirement
    ADD CONSTRAINT requirement_product_id_fkey FOREIGN KEY (product_id) REFERENCES tenant_baseline.product(id);
ALTER TABLE ONLY tenant_baseline.requirement_resource
    ADD CONSTRAINT requirement_resource_requirement_id_fkey FOREIGN KEY (requirement_id) REFERENCES tenant_baseline.requirement(id) ON DELETE CASCADE;
ALTER TABLE ONLY tenant_baseline.requirement_resource
    ADD CONSTRAINT requirement_resource_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES tenant_baseline.resource(id);
ALTER TABLE ONLY tenant_baseline.resource
    ADD CONSTRAINT resource_location_id_fkey FOREIGN KEY (location_id) REFERENCES tenant_baseline.location(id);
ALTER TABLE ONLY tenant_baseline.resource
    ADD CONSTRAINT resource_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES tenant_baseline.pool(id);
ALTER TABLE ONLY tenant_baseline.schedule_exception
    ADD CONSTRAINT schedule_exception_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES tenant_baseline.resource(id);
ALTER TABLE ONLY tenant_baseline.schedule_rule
    ADD CONSTRAINT schedule_rule_resource_id_fkey FOREIGN KEY (resource_id) REFERENCES tenant_baseline.resource(id);
ALTER TABLE ONLY tenant_baseline.session_claim
    ADD CONSTRAINT session_claim_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES tenant_baseline.booking(id);
ALTER TABLE ONLY tenant_baseline.session_claim
    ADD CONSTRAINT session_claim_session_id_fkey FOREIGN KEY (session_id) REFERENCES tenant_baseline.session(id);
ALTER TABLE ONLY tenant_baseline.session
    ADD CONSTRAINT session_group_id_fkey FOREIGN KEY (group_id) REFERENCES tenant_baseline.session_group(id);
ALTER TABLE ONLY tenant_baseline.session_seat
    ADD CONSTRAINT session_seat_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES tenant_baseline.booking(id);
ALTER TABLE ONLY tenant_baseline.session_seat
    ADD CONSTRAINT session_seat_session_id_fkey FOREIGN KEY (session_id) REFERENCES tenant_baseline.session(id);
ALTER TABLE ONLY tenant_baseline.variant
    ADD CONSTRAINT variant_product_id_fkey FOREIGN KEY (product_id) REFERENCES tenant_baseline.product(id);
ALTER TABLE ONLY tenant_baseline.voucher_use
    ADD CONSTRAINT voucher_use_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES tenant_baseline.booking(id);
ALTER TABLE ONLY tenant_baseline.waitlist_entry
    ADD CONSTRAINT waitlist_entry_booking_id_fkey FOREIGN KEY (booking_id) REFERENCES tenant_baseline.booking(id);
ALTER TABLE ONLY tenant_baseline.waitlist_entry
    ADD CONSTRAINT waitlist_entry_session_group_id_fkey FOREIGN KEY (session_group_id) REFERENCES tenant_baseline.session_group(id);
ALTER TABLE ONLY tenant_baseline.waitlist_entry
    ADD CONSTRAINT waitlist_entry_session_id_fkey FOREIGN KEY (session_id) REFERENCES tenant_baseline.session(id);
GRANT USAGE ON SCHEMA tenant_baseline TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.account TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.add_on TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.block TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.booking TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.bucket TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.bucket_claim TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.calendar_feed TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.catalog_version TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.category TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.claim TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.combination TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.combination_resource TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.connection TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.conversion TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.delivery TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.external_busy TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.external_calendar TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.holiday TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.idempotency TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.inbox TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.inbox_cursor TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.inbox_failure TO tenant_baseline;
GRANT SELECT,INSERT ON TABLE tenant_baseline.ledger_entry TO tenant_baseline;
GRANT SELECT,INSERT ON TABLE tenant_baseline.ledger_journal TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.location TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.login_session TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.notified_booking TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.payment TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.payment_attempt TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.pool TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.product TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.product_image TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.receipt TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.receipt_counter TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.refresh_token TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.refund TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.requirement TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.requirement_resource TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.resource TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.schedule_exception TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.schedule_rule TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.seat_map TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.session TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.session_claim TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.session_group TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.session_seat TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.tracked_event TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.variant TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.voucher TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.voucher_use TO tenant_baseline;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tenant_baseline.waitlist_entry TO tenant_baseline;
ALTER DEFAULT PRIVILEGES IN SCHEMA tenant_baseline GRANT USAGE ON SEQUENCES  TO tenant_baseline;
ALTER DEFAULT PRIVILEGES IN SCHEMA tenant_baseline GRANT SELECT,INSERT,DELETE,UPDATE ON TABLES  TO tenant_baseline;
