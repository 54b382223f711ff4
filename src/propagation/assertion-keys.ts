/**
 * The Ed25519 keys by which the gateway signs who is calling. Made on the first start, kept in the store's facts, replaced on a
 * schedule with overlap: the next key is published before it is used, the last one until whatever it signed is past.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import type { Clock } from '../ports/clock.ts'
import type { Facts } from '../ports/facts.ts'

export interface SigningKey {
  readonly kid: string
  readonly key: KeyObject
}

/** @see RFC 8037, section 2 */
export interface PublishedKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly use: 'sig'
  readonly alg: 'EdDSA'
}

export interface AssertionKeys {
  /**
   * The key to sign with now. Never waits; looks after the schedule in the background where that is due.
   *
   * @param now for whoever has looked at the clock already
   */
  current(now?: number): SigningKey
  /** The document at `/.portcullis/jwks.json`. */
  published(): { readonly keys: readonly PublishedKey[] }
  /** Each key that stands, oldest first. */
  list(): readonly SigningKeyView[]
  /**
   * Replaces the signing key ahead of the schedule. Gently: the next one is published now and signs when backends know it.
   * `withdraw`, for a key that somebody may have: the next one signs at once, and all others are erased and no longer published.
   *
   * @returns the keys that stand afterwards; undefined when a next key is published already
   */
  rotate(how: { readonly withdraw: boolean }): Promise<readonly SigningKeyView[] | undefined>
  /** Takes the schedule of a reloaded configuration. */
  reschedule(schedule: KeySchedule): void
  /** Looks after the schedule: makes the next key, learns of other instances' keys, forgets those that are past. */
  maintain(): Promise<void>
}

/** `new`: published, to be known before it signs. `active`: signs. `draining`: published until all that it signed is past. */
export const signingKeyStages = ['new', 'active', 'draining'] as const
export type SigningKeyStage = (typeof signingKeyStages)[number]

/** Times are milliseconds since the epoch. */
export interface SigningKeyView {
  readonly kid: string
  readonly stage: SigningKeyStage
  /** From when on it signs. */
  readonly activeFrom: number
  /** When this process last used it. */
  readonly lastUsedAt?: number
  /** Of a draining key: when it is retired. */
  readonly retiresAt?: number
}

export interface KeySchedule {
  /** Milliseconds between keys. */
  readonly rotateEvery: number
  /** Milliseconds that an assertion lives. */
  readonly lifetime: number
}

export interface AssertionKeyOptions extends KeySchedule {
  readonly clock: Clock
  /** Told when the store failed in the background; the keys that there are stay in use. */
  readonly onError?: (error: unknown) => void
}

interface StoredKey extends SigningKey {
  readonly number: number
  /** Milliseconds since the epoch from which on it signs. */
  readonly activeFrom: number
  readonly published: PublishedKey
  /** By this process. */
  lastUsedAt?: number
}

/** How long before its use a key is published: backends keep the set for five minutes. */
const longestLead = 3_600_000
/** The same for a rotation that somebody asks for: twice as long as backends keep the set. */
const askedLead = 600_000
/** Beyond the last assertion's end: for clocks that differ. */
const allowance = 300_000
const lookEvery = 60_000

const nameOf = (number: number): string => `assertion-key/${number}`
const oldestName = 'assertion-key/oldest'

/**
 * Reads the keys, and makes the first where there is none.
 *
 * @throws when the store fails, or holds something that is no key
 */
export async function openAssertionKeys(facts: Facts, options: AssertionKeyOptions): Promise<AssertionKeys> {
  const { clock, onError } = options
  let { rotateEvery, lifetime } = options
  const oldest = Number((await facts.get(oldestName)) ?? '0')
  let keys: readonly StoredKey[] = await readFrom(facts, oldest)
  if (keys.length === 0) keys = [await makeKey(facts, oldest, clock.now())]
  let lookAt = 0
  let underWay: Promise<void> | undefined
  let last: Promise<unknown> = Promise.resolve()

  /** Each change of `keys` sees the one before it whole. */
  function serially<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }

  async function look(): Promise<void> {
    const now = clock.now()
    const newer = await readFrom(facts, keys.at(-1)!.number + 1)
    // Another instance may have withdrawn what we still hold.
    const first = Number((await facts.get(oldestName)) ?? '0')
    const standing = [...keys, ...newer].filter(({ number }) => number >= first)
    if (standing.length > 0) keys = standing
    const newest = keys.at(-1)!
    const lead = Math.min(longestLead, rotateEvery / 2)
    if (now >= newest.activeFrom + rotateEvery - lead) {
      // A gateway that slept past the date still publishes first.
      const activeFrom = Math.max(newest.activeFrom + rotateEvery, now + lead)
      keys = [...keys, await makeKey(facts, newest.number + 1, activeFrom)]
    }
    await forgetPast(now)
  }

  function retirementOf(next: StoredKey): number {
    return next.activeFrom + lifetime + allowance
  }

  async function forgetPast(now: number): Promise<void> {
    while (keys.length > 1 && now >= retirementOf(keys[1]!)) {
      await erase(keys[0]!)
      keys = keys.slice(1)
    }
  }

  async function erase({ number }: StoredKey): Promise<void> {
    await facts.set(nameOf(number), '')
    await facts.set(oldestName, String(number + 1))
  }

  function signing(now: number): StoredKey {
    return keys.findLast(({ activeFrom }) => activeFrom <= now) ?? keys[0]!
  }

  function list(): readonly SigningKeyView[] {
    const now = clock.now()
    const active = signing(now)
    return keys.map((key, index): SigningKeyView => {
      const { kid, activeFrom, lastUsedAt, number } = key
      const stage = key === active ? 'active' : number > active.number ? 'new' : 'draining'
      const next = stage === 'draining' ? keys[index + 1] : undefined
      return {
        kid,
        stage,
        activeFrom,
        ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
        ...(next === undefined ? {} : { retiresAt: retirementOf(next) }),
      }
    })
  }

  async function rotate({
    withdraw,
  }: {
    readonly withdraw: boolean
  }): Promise<readonly SigningKeyView[] | undefined> {
    await look()
    const now = clock.now()
    if (withdraw) await withdrawAll(now)
    else {
      if (keys.at(-1)!.activeFrom > now) return undefined
      keys = [...keys, await makeKey(facts, keys.at(-1)!.number + 1, now + askedLead)]
    }
    return list()
  }

  /** The new key is there before the old ones go: there is always one to sign with. */
  async function withdrawAll(now: number): Promise<void> {
    const old = keys
    let next = await makeKey(facts, old.at(-1)!.number + 1, now)
    // Another instance made one of that number, to sign later: ours is the one after.
    while (next.activeFrom > now) next = await makeKey(facts, next.number + 1, now)
    keys = [next]
    for (let number = old[0]!.number; number < next.number; number += 1) await facts.set(nameOf(number), '')
    await facts.set(oldestName, String(next.number))
  }

  const maintain = (): Promise<void> => {
    lookAt = clock.now() + Math.min(lookEvery, rotateEvery / 10)
    underWay ??= serially(look).finally(() => {
      underWay = undefined
    })
    return underWay
  }

  const maintainWhenDue = (now: number): void => {
    if (now >= lookAt) maintain().catch((error: unknown) => onError?.(error))
  }

  await maintain()
  return {
    current(now = clock.now()) {
      maintainWhenDue(now)
      const key = signing(now)
      key.lastUsedAt = now
      return key
    },
    published() {
      maintainWhenDue(clock.now())
      return { keys: keys.map((key) => key.published) }
    },
    list,
    rotate: (how) => serially(() => rotate(how)),
    reschedule(schedule) {
      rotateEvery = schedule.rotateEvery
      // What was signed under the longer life may still be about.
      lifetime = Math.max(lifetime, schedule.lifetime)
    },
    maintain,
  }
}

async function readFrom(facts: Facts, first: number): Promise<StoredKey[]> {
  const keys: StoredKey[] = []
  for (let number = first; ; number += 1) {
    const stored = await facts.get(nameOf(number))
    if (stored === undefined) return keys
    if (stored !== '') keys.push(parseKey(stored, number))
  }
}

/** Two instances that make the same number agree on the one that was there first. */
async function makeKey(facts: Facts, number: number, activeFrom: number): Promise<StoredKey> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64url')
  return parseKey(await facts.setIfAbsent(nameOf(number), JSON.stringify({ activeFrom, pkcs8 })), number)
}

function parseKey(stored: string, number: number): StoredKey {
  try {
    const { activeFrom, pkcs8 } = JSON.parse(stored) as { activeFrom: number; pkcs8: string }
    const key = createPrivateKey({ key: Buffer.from(pkcs8, 'base64url'), format: 'der', type: 'pkcs8' })
    const { x } = createPublicKey(key).export({ format: 'jwk' })
    if (key.asymmetricKeyType !== 'ed25519' || x === undefined || !Number.isFinite(activeFrom))
      throw new TypeError()
    const kid = hash('sha256', `{"crv":"Ed25519","kty":"OKP","x":"${x}"}`, 'base64url')
    return {
      number,
      activeFrom,
      key,
      kid,
      published: { kty: 'OKP', crv: 'Ed25519', x, kid, use: 'sig', alg: 'EdDSA' },
    }
  } catch {
    // Without the cause: it might quote the key.
    throw new Error(`the store's signing key ${number} for assertions cannot be read`)
  }
}
