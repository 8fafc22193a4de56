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
-- The list of accounts, newest first.
CREATE INDEX account_newest ON account (created_at DESC, id DESC);

-- A signed-in device: what tokens and cookies stand for. Once `ended_at` is set nothing opens it.
CREATE TABLE login_session (
    id              uuid PRIMARY KEY,
    account_id      uuid NOT NULL REFERENCES account,
    -- `api`: access and refresh tokens. `portal`: a browser's cookie.
    kind            text NOT NULL CHECK (kind IN ('api', 'portal')),
    -- SHA-256 of the cookie's token; the tokens of an `api` session are rows of their own.
    token_hash      bytea UNIQUE,
    user_agent      text NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL,
    last_used_at    timestamptz NOT NULL,
    -- `api`: when it ends unless it is used before. `portal`: when it ends in any case; how long it
    -- was idle is reckoned from `last_used_at`.
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    CHECK ((kind = 'portal') = (token_hash IS NOT NULL))
);
CREATE INDEX login_session_account ON login_session (account_id);

-- Every refresh token a living session ever had, by SHA-256: a token that was replaced long ago
-- and comes again was stolen, however many came after it.
CREATE TABLE refresh_token (
    token_hash      bytea PRIMARY KEY,
    session_id      uuid NOT NULL REFERENCES login_session ON DELETE CASCADE,
    replaced_at     timestamptz
);
CREATE INDEX refresh_token_session ON refresh_token (session_id);

-- Neither is taken out of a tenant's data or put back: what was signed out stays so, and a copy of a tenant
-- is not signed in to by who was at the original.
COMMENT ON TABLE login_session IS 'transient';
COMMENT ON TABLE refresh_token IS 'transient';
