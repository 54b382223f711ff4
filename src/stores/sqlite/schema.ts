/**
 * The tables, as forward-only steps: `user_version` counts how many were taken. A step that was released is never edited.
 *
 * Digests stand in a table of their own, keyed by the digest and without row ids: one look-up is one walk down one tree,
 * and a key may have several (one for each pepper). The key's row repeats them, which saves an index that only a
 * deletion would need: keys are revoked, never deleted. The counters tell other processes that something changed; triggers
 * move them, so that no writer can forget to.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE api_key (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    digests BLOB NOT NULL CHECK (length(digests) % 32 = 0),
    name TEXT,
    owner TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('created', 'imported')),
    prefix TEXT,
    authenticator TEXT,
    scopes TEXT NOT NULL,
    roles TEXT NOT NULL,
    tenant TEXT,
    metadata TEXT NOT NULL,
    allowed_ips TEXT NOT NULL,
    allowed_routes TEXT NOT NULL,
    rate_limit TEXT,
    created_at INTEGER NOT NULL,
    not_before INTEGER,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER,
    revoked_reason TEXT,
    successor TEXT,
    grace_ends_at INTEGER,
    told_days INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX api_key_owner ON api_key (owner);
  CREATE INDEX api_key_imported ON api_key (number) WHERE origin = 'imported';
  CREATE INDEX api_key_ending ON api_key (told_days, expires_at)
    WHERE expires_at IS NOT NULL AND revoked_at IS NULL AND successor IS NULL;

  CREATE TABLE api_key_digest (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    key INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE revocation (
    kind TEXT NOT NULL,
    issuer TEXT NOT NULL,
    value TEXT NOT NULL,
    at INTEGER NOT NULL,
    permanent INTEGER NOT NULL CHECK (permanent IN (0, 1)),
    expires_at INTEGER,
    reason TEXT,
    created_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (kind, issuer, value)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX revocation_sequence ON revocation (sequence);
  CREATE INDEX revocation_ending ON revocation (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    entry TEXT NOT NULL,
    held_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE change_count (id INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;
  INSERT INTO change_count (id, value) VALUES (1, 0), (2, 0);

  CREATE TRIGGER api_key_inserted AFTER INSERT ON api_key
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 1; END;
  CREATE TRIGGER api_key_deleted AFTER DELETE ON api_key
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 1; END;
  CREATE TRIGGER api_key_updated AFTER UPDATE OF id, name, owner, origin, prefix, authenticator, scopes, roles, tenant,
    metadata, allowed_ips, allowed_routes, rate_limit, created_at, not_before, expires_at, revoked_at, revoked_reason,
    successor, grace_ends_at ON api_key
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 1; END;
  CREATE TRIGGER api_key_digest_deleted AFTER DELETE ON api_key_digest
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 1; END;
  CREATE TRIGGER revocation_inserted AFTER INSERT ON revocation
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 2; END;
  CREATE TRIGGER revocation_updated AFTER UPDATE ON revocation
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 2; END;
  CREATE TRIGGER revocation_deleted AFTER DELETE ON revocation
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 2; END;
  `,
  `
  ALTER TABLE api_key ADD COLUMN predecessor TEXT;
  ALTER TABLE api_key ADD COLUMN certificate TEXT CHECK (length(certificate) = 64);
  ALTER TABLE api_key ADD COLUMN quarantined_at INTEGER;
  ALTER TABLE api_key ADD COLUMN quarantined_reason TEXT;
  UPDATE api_key SET predecessor = old.id FROM api_key AS old WHERE old.successor = api_key.id;

  CREATE TABLE api_key_address (
    key INTEGER NOT NULL,
    address TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (key, address)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX api_key_address_seen ON api_key_address (seen_at);

  DROP TRIGGER api_key_updated;
  CREATE TRIGGER api_key_updated AFTER UPDATE OF id, name, owner, origin, prefix, authenticator, scopes, roles, tenant,
    metadata, allowed_ips, allowed_routes, rate_limit, created_at, not_before, expires_at, revoked_at, revoked_reason,
    successor, grace_ends_at, predecessor, certificate, quarantined_at, quarantined_reason ON api_key
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 1; END;
  `,
  `
  CREATE TABLE session (
    number INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    id TEXT NOT NULL UNIQUE,
    authenticator TEXT NOT NULL,
    provider TEXT NOT NULL,
    origin TEXT NOT NULL,
    issuer TEXT NOT NULL,
    sub TEXT NOT NULL,
    sid TEXT,
    subject TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    idle INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    content BLOB NOT NULL,
    revision INTEGER NOT NULL,
    lease_holder TEXT,
    lease_until INTEGER
  ) STRICT;
  CREATE INDEX session_sid ON session (issuer, sid) WHERE sid IS NOT NULL;
  CREATE INDEX session_sub ON session (issuer, sub);
  CREATE INDEX session_subject ON session (subject);
  CREATE INDEX session_ending ON session (min(expires_at, seen_at + idle));

  CREATE TABLE session_logout (
    issuer TEXT NOT NULL,
    sid TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (issuer, sid)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE session_used (name TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  INSERT INTO change_count (id, value) VALUES (3, 0);
  CREATE TRIGGER session_deleted AFTER DELETE ON session
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 3; END;
  CREATE TRIGGER session_changed AFTER UPDATE OF content, revision ON session
    BEGIN UPDATE change_count SET value = value + 1 WHERE id = 3; END;
  `,
]

/** Rows of `change_count`. */
export const counters = { keys: 1, revocations: 2, sessions: 3 } as const
