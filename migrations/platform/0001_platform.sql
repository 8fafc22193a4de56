-- The tables all tenants share: who they are, and what travels between services. Every node has them;
-- the registry is the one of node 0, and of the others those tables are used that a tenant's own
-- transactions write to.
-- `berth_platform` is what server and worker log in with for these tables; `berth_tenant` is what
-- every tenant's role may do here, which is to add to the outbox, to say that a session of its own
-- has ended, and nothing else.
CREATE SCHEMA IF NOT EXISTS platform;
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

-- What a tenant pays for, and so how much of the machines it may take.
CREATE TABLE platform.plan (
    name                 text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9-]{1,38}$'),
    -- Requests a second of each server, on average; twice as many in one second.
    requests_per_second  integer NOT NULL CHECK (requests_per_second BETWEEN 1 AND 100000),
    -- Requests answered at once by each server.
    concurrent_requests  integer NOT NULL CHECK (concurrent_requests BETWEEN 1 AND 10000),
    -- Events handled at once by each worker's consumer.
    concurrent_events    integer NOT NULL CHECK (concurrent_events BETWEEN 1 AND 1000)
);
INSERT INTO platform.plan (name, requests_per_second, concurrent_requests, concurrent_events) VALUES
    ('starter', 50, 16, 10),
    ('standard', 200, 32, 20),
    ('business', 1000, 128, 50);

CREATE TABLE platform.tenant (
    id              uuid PRIMARY KEY,
    slug            text NOT NULL CONSTRAINT tenant_slug_taken UNIQUE
                    CHECK (slug ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
    -- The slug with signs that look alike made one: no two tenants can be mistaken for each other.
    likeness        text NOT NULL CONSTRAINT tenant_slug_resembles UNIQUE,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    kind            text NOT NULL CHECK (kind ~ '^[a-z][a-z_-]{1,39}$'),
    plan            text NOT NULL DEFAULT 'standard' CONSTRAINT tenant_plan_known REFERENCES platform.plan,
    -- Name of the tenant's schema and of its role; opaque, so that a slug can change.
    role            text NOT NULL UNIQUE CHECK (role ~ '^t_[a-z0-9]{12}$'),
    -- How often its data was put back to an earlier state. What it told before is not heard any more.
    timeline        integer NOT NULL DEFAULT 0 CHECK (timeline >= 0),
    -- The first day whose figures are its own: one made from another's export has days before that the other had.
    figures_from    date,
    -- Which database its schema is in; 0 is this one.
    node            smallint NOT NULL DEFAULT 0 CHECK (node >= 0),
    bucket          smallint NOT NULL CHECK (bucket >= 0),
    -- `opening`: not served before its founder has an account. `archived`: served no more, data kept. `leaving`: to be
    -- erased, which nothing can stop any more. `held`: restored, and nothing is handled or sent for it until
    -- it is released.
    status          text NOT NULL DEFAULT 'active'
                    CHECK (status IN ('opening', 'active', 'suspended', 'archived', 'leaving', 'held')),
    -- Before a restore in its place that has not come to its end.
    former_status   text,
    timezone        text NOT NULL,
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    locale          text NOT NULL DEFAULT 'en',
    color           text NOT NULL DEFAULT '#1f4b99' CHECK (color ~ '^#[0-9a-f]{6}$'),
    -- Of links and buttons, where it is another.
    accent_color    text CHECK (accent_color ~ '^#[0-9a-f]{6}$'),
    logo_url        text CHECK (logo_url ~ '^https://' AND length(logo_url) <= 2000),
    legal_name      text NOT NULL CHECK (length(legal_name) BETWEEN 1 AND 200),
    address         text NOT NULL DEFAULT '' CHECK (length(address) <= 1000),
    tax_id          text CHECK (length(tax_id) BETWEEN 1 AND 50),
    schema_version  bigint NOT NULL,
    -- Migrated before all others.
    canary          boolean NOT NULL DEFAULT false,
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- First administrators of tenants that are opening, until they have an account.
CREATE TABLE platform.founder (
    tenant_id       uuid PRIMARY KEY REFERENCES platform.tenant,
    -- The id the account is to have: making it twice makes it once.
    account_id      uuid NOT NULL,
    email           text NOT NULL,
    name            text NOT NULL,
    locale          text NOT NULL,
    -- Argon2id in PHC form.
    password_hash   text NOT NULL,
    since           timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Businesses that sign themselves up, from asking for a mail on. Cleared away after some days.
CREATE TABLE platform.sign_up (
    id              uuid PRIMARY KEY,
    email           text NOT NULL CHECK (length(email) <= 254),
    requested_at    timestamptz NOT NULL,
    -- Until when the link in the mail is good.
    expires_at      timestamptz NOT NULL,
    -- When the mail is to be sent, or sent again; none once it is gone.
    mail_due_at     timestamptz,
    mail_tries      integer NOT NULL DEFAULT 0,
    -- What it became.
    tenant_id       uuid REFERENCES platform.tenant
);
CREATE INDEX sign_up_mail_due ON platform.sign_up (mail_due_at) WHERE mail_due_at IS NOT NULL;
CREATE INDEX sign_up_requested ON platform.sign_up (requested_at);
CREATE INDEX sign_up_tenant ON platform.sign_up (tenant_id) WHERE tenant_id IS NOT NULL;

-- The schemas of this node, with the version each has: it moves together with their tables.
CREATE TABLE platform.tenant_schema (
    role            text PRIMARY KEY CHECK (role ~ '^t_[a-z0-9]{12}$'),
    version         bigint NOT NULL
);

-- Tenants on their way from one node to another. `copying`: still served where they were. `moved`:
-- served where they go, and what they left behind is to be cleared away.
CREATE TABLE platform.relocation (
    tenant_id       uuid PRIMARY KEY,
    role            text NOT NULL,
    from_node       smallint NOT NULL,
    from_bucket     smallint NOT NULL,
    to_node         smallint NOT NULL,
    to_bucket       smallint NOT NULL,
    state           text NOT NULL CHECK (state IN ('copying', 'moved')),
    since           timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Schemas made ahead for those who sign up next; claiming one deletes its row.
CREATE TABLE platform.ready_schema (
    role            text PRIMARY KEY CHECK (role ~ '^t_[a-z0-9]{12}$'),
    bucket          smallint NOT NULL CHECK (bucket >= 0),
    schema_version  bigint NOT NULL,
    made_at         timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Tenants that are gone, and what was erased with them. Their names are not given again: what still
-- links to them must not lead to another business.
CREATE TABLE platform.erased_tenant (
    tenant_id       uuid PRIMARY KEY,
    slug            text NOT NULL UNIQUE,
    likeness        text NOT NULL UNIQUE,
    certificate     jsonb NOT NULL,
    erased_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Names that tenants had before they were renamed; kept from all others for the same reason.
CREATE TABLE platform.former_name (
    likeness        text PRIMARY KEY,
    tenant_id       uuid NOT NULL,
    since           timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Hosts of tenants' own. Anybody may claim one; only who proves by DNS that it is theirs is served there.
CREATE TABLE platform.domain (
    id             uuid PRIMARY KEY,
    tenant_id      uuid NOT NULL REFERENCES platform.tenant,
    host           text NOT NULL CONSTRAINT domain_host_shape
                   CHECK (length(host) <= 253
                          AND host ~ '^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$'),
    -- What has to stand in DNS.
    token          text NOT NULL,
    -- `pending`: not proven. `verified`: served. `failing`: the proof is gone; served for some days yet.
    state          text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'verified', 'failing')),
    -- Since when it has that state.
    since          timestamptz NOT NULL,
    check_at       timestamptz NOT NULL,
    last_error     text,
    CONSTRAINT domain_claimed UNIQUE (tenant_id, host)
);
CREATE UNIQUE INDEX domain_served ON platform.domain (host) WHERE state IN ('verified', 'failing');
CREATE INDEX domain_check ON platform.domain (check_at);

-- Figures over all tenants, a day of UTC each, reckoned from each tenant's own rows now and then:
-- nobody who looks at them asks the tenants. Those of tenants that are gone are added up under the id
-- that is all zeros.
CREATE TABLE platform.booking_day (
    tenant_id   uuid NOT NULL,
    day         date NOT NULL,
    -- Made on that day; of those, how many stand and how many were called off.
    made        bigint NOT NULL,
    confirmed   bigint NOT NULL,
    cancelled   bigint NOT NULL,
    PRIMARY KEY (day, tenant_id)
);
CREATE TABLE platform.money_day (
    tenant_id        uuid NOT NULL,
    day              date NOT NULL,
    currency         text NOT NULL,
    -- Minor units, as the ledger has them.
    sales            bigint NOT NULL,
    refunds          bigint NOT NULL,
    processing_fees  bigint NOT NULL,
    platform_fees    bigint NOT NULL,
    PRIMARY KEY (day, tenant_id, currency)
);

-- Who may run the platform through its API.
CREATE TABLE platform.operator_key (
    id          uuid PRIMARY KEY,
    -- SHA-256 of the key.
    key_hash    bytea NOT NULL UNIQUE,
    label       text NOT NULL UNIQUE CHECK (length(label) BETWEEN 1 AND 100),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at  timestamptz
);

-- What operators, and tenants of themselves, did; outlives them.
CREATE TABLE platform.audit (
    id          bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    operator    text NOT NULL CHECK (length(operator) BETWEEN 1 AND 200),
    action      text NOT NULL,
    -- None for what is no tenant's in particular.
    tenant_id   uuid,
    detail      jsonb NOT NULL
);
CREATE INDEX audit_tenant ON platform.audit (tenant_id, id);

-- Tenants whose schema could not be migrated, and why. They are served as they are.
CREATE TABLE platform.migration_quarantine (
    tenant_id   uuid PRIMARY KEY REFERENCES platform.tenant,
    wanted      bigint NOT NULL,
    reason      text NOT NULL,
    since       timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE platform.api_key (
    id          uuid PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES platform.tenant,
    -- SHA-256 of the key: the key itself is shown once and kept nowhere.
    key_hash    bytea NOT NULL UNIQUE,
    label       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at  timestamptz
);

-- Events wait here between the business transaction that wrote them and the broker. The column
-- `seq` gives the relay an order to read in; it is never used as a cursor, because commits land
-- out of its order.
CREATE TABLE platform.outbox (
    event_id      uuid PRIMARY KEY,
    seq           bigint GENERATED ALWAYS AS IDENTITY,
    tenant_id     uuid NOT NULL,
    event_type    text NOT NULL,
    entity_id     uuid NOT NULL,
    envelope      text NOT NULL,
    -- The role that wrote it, which a tenant cannot choose: the relay tells nothing of a tenant that
    -- another one's role wrote.
    written_by    text NOT NULL DEFAULT current_user,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at  timestamptz
);
CREATE INDEX outbox_waiting ON platform.outbox (seq) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON platform.outbox (published_at) WHERE published_at IS NOT NULL;

-- What a provider told us, byte for byte, before anything was made of it.
CREATE TABLE platform.webhook_inbox (
    provider     text NOT NULL,
    event_id     text NOT NULL,
    account      text,
    payload      bytea NOT NULL,
    received_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    tries        integer NOT NULL DEFAULT 0,
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'ignored', 'dead')),
    last_error   text,
    PRIMARY KEY (provider, event_id)
);
-- By account, so that whoever takes what is due finds each without reading what others wait for.
CREATE INDEX webhook_inbox_due ON platform.webhook_inbox (provider, hashtext(coalesce(account, '')), due_at)
    WHERE state = 'waiting';

CREATE TABLE platform.stripe_account (
    account_id         text PRIMARY KEY,
    tenant_id          uuid NOT NULL UNIQUE REFERENCES platform.tenant,
    charges_enabled    boolean NOT NULL DEFAULT false,
    payouts_enabled    boolean NOT NULL DEFAULT false,
    details_submitted  boolean NOT NULL DEFAULT false,
    requirements       jsonb NOT NULL DEFAULT '[]',
    livemode           boolean NOT NULL DEFAULT false,
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What processes remember of a tenant is forgotten when it changes: they are told its id and the
-- names it has and had.
CREATE FUNCTION platform.tell_tenant_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('berth_tenant_changed', concat_ws(' ', OLD.id, OLD.slug));
    ELSIF TG_TABLE_NAME = 'tenant' THEN
        PERFORM pg_notify('berth_tenant_changed', concat_ws(' ', NEW.id, NEW.slug, OLD.slug));
    ELSE
        PERFORM pg_notify('berth_tenant_changed', NEW.tenant_id::text);
    END IF;
    RETURN NULL;
END
$$;
-- Not when only its schema moves: a fleet of them would keep every commit waiting for the next.
CREATE TRIGGER tenant_told
    AFTER INSERT OR UPDATE OF slug, name, kind, plan, role, node, bucket, status, timezone, currency, locale, color,
                              accent_color, logo_url, legal_name, address, tax_id ON platform.tenant
    FOR EACH ROW EXECUTE FUNCTION platform.tell_tenant_changed();
CREATE FUNCTION platform.tell_domain_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_tenant_changed', concat_ws(' ', coalesce(NEW.tenant_id, OLD.tenant_id),
                                                        coalesce(NEW.host, OLD.host)));
    RETURN NULL;
END
$$;
CREATE FUNCTION platform.tell_plan_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY berth_tenant_changed, '*';
    RETURN NULL;
END
$$;
CREATE TRIGGER plan_told AFTER UPDATE ON platform.plan
    FOR EACH STATEMENT EXECUTE FUNCTION platform.tell_plan_changed();
-- Hosts and accounts are looked at again and again: what did not change is not told.
CREATE TRIGGER domain_told AFTER UPDATE ON platform.domain
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION platform.tell_domain_changed();
CREATE TRIGGER domain_gone AFTER DELETE ON platform.domain
    FOR EACH ROW EXECUTE FUNCTION platform.tell_domain_changed();
CREATE TRIGGER tenant_gone AFTER DELETE ON platform.tenant
    FOR EACH ROW EXECUTE FUNCTION platform.tell_tenant_changed();
CREATE TRIGGER api_key_told AFTER UPDATE ON platform.api_key
    FOR EACH ROW EXECUTE FUNCTION platform.tell_tenant_changed();
CREATE TRIGGER stripe_account_opened AFTER INSERT ON platform.stripe_account
    FOR EACH ROW EXECUTE FUNCTION platform.tell_tenant_changed();
CREATE TRIGGER stripe_account_told AFTER UPDATE ON platform.stripe_account
    FOR EACH ROW WHEN ((OLD.account_id, OLD.charges_enabled, OLD.payouts_enabled)
                       IS DISTINCT FROM (NEW.account_id, NEW.charges_enabled, NEW.payouts_enabled))
    EXECUTE FUNCTION platform.tell_tenant_changed();

-- Whoever makes schemas ready hears that there is work: one was taken, or a tenant is to be erased.
CREATE FUNCTION platform.tell_provisioner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY berth_provisioner;
    RETURN NULL;
END
$$;
CREATE TRIGGER ready_schema_taken AFTER DELETE ON platform.ready_schema
    FOR EACH STATEMENT EXECUTE FUNCTION platform.tell_provisioner();
CREATE TRIGGER tenant_leaving AFTER UPDATE OF status ON platform.tenant
    FOR EACH ROW WHEN (NEW.status = 'leaving') EXECUTE FUNCTION platform.tell_provisioner();

-- Events a consumer gave up on, to be looked at and replayed.
CREATE TABLE platform.dead_letter (
    consumer     text NOT NULL,
    event_id     uuid NOT NULL,
    tenant_id    uuid NOT NULL,
    event_type   text NOT NULL,
    envelope     text NOT NULL,
    error        text NOT NULL,
    died_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    replayed_at  timestamptz,
    PRIMARY KEY (consumer, event_id)
);

-- Sessions that ended while access tokens of theirs are still good, told to every process that
-- checks tokens. A row is of no more use once a token made before it has run out.
CREATE TABLE platform.revoked_session (
    session_id   uuid NOT NULL,
    revoked_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX revoked_session_at ON platform.revoked_session (revoked_at);
CREATE FUNCTION platform.tell_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('berth_session_revoked', NEW.session_id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER revoked_session_told AFTER INSERT ON platform.revoked_session
    FOR EACH ROW EXECUTE FUNCTION platform.tell_revoked();

GRANT USAGE ON SCHEMA platform TO berth_platform, berth_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA platform TO berth_platform;
-- What was done stays written.
REVOKE UPDATE, DELETE ON platform.audit, platform.erased_tenant FROM berth_platform;
GRANT INSERT (event_id, tenant_id, event_type, entity_id, envelope) ON platform.outbox TO berth_tenant;
GRANT INSERT (session_id) ON platform.revoked_session TO berth_tenant;
