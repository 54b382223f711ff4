/**
 * API keys at rest. A store never sees a key: only digests
 * (SHA-256 of the key, or HMAC-SHA-256(pepper, SHA-256(key)), lower-case hex).
 */
export interface ApiKeyRecord {
  /** 12 base62 characters for created keys; free text (1–128 visible ASCII) for imported ones. */
  readonly id: string
  readonly name?: string
  /** The subject of the identity that the key yields. */
  readonly owner: string
  /** One for each distinct pepper of the configuration that the key was stored under. */
  readonly digests: readonly string[]
  readonly origin: 'created' | 'imported'
  /** Of a created key: the prefix that it begins with. */
  readonly prefix?: string
  /** Limits the key to the authenticator of this name. */
  readonly authenticator?: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly tenant?: string
  readonly metadata: Readonly<Record<string, string>>
  /** CIDR ranges; empty means any address. */
  readonly allowedIps: readonly string[]
  /** Route ids; empty means any route. */
  readonly allowedRoutes: readonly string[]
  /** `N/period` as written, for example `10/1s`. */
  readonly rateLimit?: string
  /** Times are milliseconds since the epoch. */
  readonly createdAt: number
  readonly notBefore?: number
  readonly expiresAt?: number
  readonly lastUsedAt?: number
  readonly revokedAt?: number
  readonly revokedReason?: string
  /** Set by rotation: the key that takes over, and when this one stops. */
  readonly successor?: string
  readonly graceEndsAt?: number
  /** Set by rotation: the key that this one takes over from. */
  readonly predecessor?: string
  /** SHA-256 of the client certificate (DER) that must come with the key, 64 lower-case hexadecimal digits. */
  readonly certificate?: string
  /** Since then the key is good only from addresses that it was used from shortly before each use. */
  readonly quarantinedAt?: number
  readonly quarantinedReason?: string
}

/** One use of a key. */
export interface KeyUse {
  readonly id: string
  readonly at: number
  /** Where it came from, where that is to be remembered: an address, of IPv6 its /64. */
  readonly address?: string
}

/** An address that a key was used from. */
export interface SeenAddress {
  readonly address: string
  readonly seenAt: number
}

/** How many addresses of one key are remembered; the one that was silent longest makes room. */
export const mostAddresses = 256

export interface ApiKeyStore {
  /** Looks up by stored digest. Revoked and expired keys are found too: the caller judges. */
  findByDigest(digest: string): ApiKeyRecord | undefined | Promise<ApiKeyRecord | undefined>
  findById(id: string): ApiKeyRecord | undefined | Promise<ApiKeyRecord | undefined>
  /** Pages by order of creation; `after` is the last id of the page before (an unknown one gives an empty page). */
  list(page: {
    readonly after?: string
    readonly limit: number
    readonly owner?: string
  }): Promise<readonly ApiKeyRecord[]>
  /** Whether any imported key is there: only then may a value of a strange form be worth a look-up. */
  hasImported(): boolean | Promise<boolean>
  /** All or nothing: an id or digest that is there already refuses the whole list, naming the first clash. */
  insert(records: readonly ApiKeyRecord[]): Promise<{ readonly clash?: string }>
  /** One atomic step: inserts the successor and sets the old key's end. `false` when the old one is gone, revoked or already rotated. */
  rotate(id: string, successor: ApiKeyRecord, graceEndsAt: number): Promise<boolean>
  /** `false` when there is no such key. Revoking twice keeps the first time and reason. */
  revoke(id: string, at: number, reason: string | undefined): Promise<boolean>
  /** `false` when there is no such key. Twice keeps the first time and reason; a revoked key stays as it is. */
  quarantine(id: string, at: number, reason: string | undefined): Promise<boolean>
  /** Ends a quarantine. `false` when there is no such key, or it is in none. */
  release(id: string): Promise<boolean>
  /** Writes times and addresses of use in one batch; never moves a time backwards. */
  touch(uses: readonly KeyUse[]): Promise<void>
  /** @returns when the key was last used from the address, as far as that is remembered */
  lastSeen(id: string, address: string): number | undefined | Promise<number | undefined>
  /** The addresses that a key was used from, latest first. */
  addressesOf(id: string): Promise<readonly SeenAddress[]>
  /** Forgets all addresses that were not seen since. */
  forgetAddresses(before: number): Promise<void>
}

/**
 * Tells cheaply that something in a store changed, by this process or another one, within one second.
 * Caches hold the version that they were filled under.
 */
export interface StoreChanges {
  /** A number that moves with every change of keys or revocations. Read on each request: must be a plain field read. */
  readonly version: number
}

/** The same with what background work needs: who reloads something when it changed, and how far it may be trusted. */
export interface StoreChangeFeed extends StoreChanges {
  /** Moves with revocations only: a list of them need not be read again because a key was used or made. */
  readonly revocations: number
  /** Moves when a session ends or its content changes, and does not move `version`: sessions change all the time. */
  readonly sessions: number
  /** Milliseconds since the epoch of the last time the store was asked and answered. */
  readonly checkedAt: number
  /** Asks the store now. Throws when it cannot be read. */
  check(): void | Promise<void>
  /** Calls back after any of them moved. @returns a function that ends the subscription */
  subscribe(listener: () => void): () => void
}
