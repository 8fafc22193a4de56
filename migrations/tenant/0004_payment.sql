-- Money asked, taken and given back. Owned by the payment service.
CREATE TABLE payment (
    id                  uuid PRIMARY KEY,
    -- One payment a booking: the guard against charging twice.
    booking_id          uuid NOT NULL CONSTRAINT payment_one_per_booking UNIQUE,
    status              text NOT NULL CHECK (status IN ('CREATED', 'REQUIRES_PAYMENT', 'REQUIRES_ACTION',
                        'PROCESSING', 'SUCCEEDED', 'PARTIALLY_REFUNDED', 'REFUNDED', 'CANCELED')),
    version             bigint NOT NULL,
    amount_minor        bigint NOT NULL CHECK (amount_minor > 0),
    refunded_minor      bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0),
    currency            text NOT NULL,
    fee_minor           bigint NOT NULL CHECK (fee_minor >= 0),
    provider            text NOT NULL,
    account_id          text NOT NULL,
    provider_ref        text UNIQUE,
    client_secret       text,
    method              text,
    failure_code        text,
    -- The booking as it was told, so that nobody has to be asked later.
    booking             jsonb NOT NULL,
    expires_at          timestamptz,
    -- Of the request it all began with; what webhooks lead to is logged under it.
    correlation_id      uuid NOT NULL,
    -- When the provider is to be asked again, if no word comes from it.
    check_at            timestamptz,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL,
    CONSTRAINT payment_not_over_refunded CHECK (refunded_minor <= amount_minor)
);
CREATE INDEX payment_created ON payment (created_at, id);
CREATE INDEX payment_check ON payment (check_at) WHERE check_at IS NOT NULL;

-- Every call that moves money or ends its asking, written before it is made.
CREATE TABLE payment_attempt (
    idempotency_key     text PRIMARY KEY,
    payment_id          uuid NOT NULL REFERENCES payment,
    action              text NOT NULL CHECK (action IN ('create', 'cancel', 'refund')),
    outcome             text CHECK (outcome IN ('OK', 'FAILED', 'INDETERMINATE')),
    -- How often the answer was lost.
    lost                integer NOT NULL DEFAULT 0,
    started_at          timestamptz NOT NULL,
    finished_at         timestamptz
);
CREATE INDEX payment_attempt_payment ON payment_attempt (payment_id);

CREATE TABLE refund (
    id                  uuid PRIMARY KEY,
    payment_id          uuid NOT NULL REFERENCES payment,
    -- Deterministic, so that the same wish is one refund: `cancel:{booking}`, `api:…`.
    source              text NOT NULL CONSTRAINT refund_source_taken UNIQUE,
    status              text NOT NULL CHECK (status IN ('REQUESTED', 'PENDING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    amount_minor        bigint NOT NULL CHECK (amount_minor > 0),
    currency            text NOT NULL,
    reason              text NOT NULL,
    provider_ref        text UNIQUE,
    failure_code        text,
    -- Of the request it was wished for with.
    correlation_id      uuid NOT NULL,
    created_at          timestamptz NOT NULL,
    updated_at          timestamptz NOT NULL
);
CREATE INDEX refund_payment ON refund (payment_id);
CREATE INDEX refund_open ON refund (updated_at) WHERE status IN ('REQUESTED', 'PENDING');

-- Double-entry book: what the provider's own balance says happened. Rows are added and never
-- changed; a journal's entries sum to zero in each currency.
CREATE TABLE ledger_journal (
    id                  uuid PRIMARY KEY,
    -- The provider's balance transaction this came from; posted once.
    source              text NOT NULL CONSTRAINT ledger_journal_source_taken UNIQUE,
    payment_id          uuid NOT NULL REFERENCES payment,
    posted_at           timestamptz NOT NULL
);
-- Rows come in the order of their time: a few bytes a stretch find those of some days.
CREATE INDEX ledger_journal_posted ON ledger_journal USING brin (posted_at);
CREATE TABLE ledger_entry (
    id                  uuid PRIMARY KEY,
    journal_id          uuid NOT NULL REFERENCES ledger_journal,
    account             text NOT NULL CHECK (account IN
                        ('provider_balance', 'sales', 'refunds', 'processing_fees', 'platform_fees')),
    amount_minor        bigint NOT NULL,
    currency            text NOT NULL
);
CREATE INDEX ledger_entry_journal ON ledger_entry (journal_id);

CREATE FUNCTION ledger_journal_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger_entry WHERE journal_id = NEW.journal_id
               GROUP BY currency HAVING sum(amount_minor) <> 0) THEN
        RAISE EXCEPTION 'journal % does not balance', NEW.journal_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_journal_balances';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_journal_balances();

-- Append-only for the tenant's role, which is named like its schema. (The template that queries
-- are checked against has no role.)
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_schema()) THEN
        EXECUTE format('REVOKE UPDATE, DELETE ON ledger_journal, ledger_entry FROM %I', current_schema());
    END IF;
END
$$;
