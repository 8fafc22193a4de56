-- Accounts of customers and staff, and their signed-in devices. Owned by the user service.
CREATE TABLE account (
    id              uuid PRIMARY KEY,
    -- Lower-cased; one account an address.
    email           text NOT NULL CONSTRAINT account_email_taken UNIQUE CHECK (email = lower(email)),
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    phone           text,
    locale          text NOT NULL,
    role            text NOT NULL CHECK (role IN ('customer', 'staff', 'admin')),
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'deleted')),
    -- Argon2id in PHC form; none for accounts that sign in elsewhere only.
    password_hash   text,
    version         bigint NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);

-- A refresh token's life: each use replaces the hash; a hash that was replaced and comes again
-- ends the whole session.
CREATE TABLE login_session (
    id                uuid PRIMARY KEY,
    account_id        uuid NOT NULL REFERENCES account,
    -- `api`: access and refresh tokens. `portal`: a browser's cookie.
    kind              text NOT NULL CHECK (kind IN ('api', 'portal')),
    token_hash        bytea NOT NULL UNIQUE,
    previous_hash     bytea UNIQUE,
    csrf_token        text,
    user_agent        text NOT NULL DEFAULT '',
    created_at        timestamptz NOT NULL,
    last_used_at      timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    ended_at          timestamptz
);
CREATE INDEX login_session_account ON login_session (account_id);
