/** The identity as a signed statement: a backend that checks it need not trust the network between. */
import { hash, randomUUID, sign } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { CredentialFacts, Identity } from '../engine/identity.ts'
import type { Clock } from '../ports/clock.ts'
import type { AssertionKeys, SigningKey } from './assertion-keys.ts'
import { tellableScopes } from './headers.ts'

export interface AssertionSettings {
  /** Milliseconds. */
  readonly lifetime: number
  readonly perRequest: boolean
  /** `iss`. */
  readonly issuer: string
}

export interface AssertionParts {
  readonly clock: Clock
  readonly keys: AssertionKeys
}

export interface AssertionRequest {
  readonly identity: Identity
  readonly credential: CredentialFacts
  /** The upstream's name: `aud`. */
  readonly upstream: string
  readonly requestId: string
}

/** @returns the assertion for a request: signed at once, or the one that still serves the same content */
export type Assert = (request: AssertionRequest) => string

/** Identities with the same content share their assertions, whichever credential they came by. */
interface Content {
  readonly byUpstream: Map<string, Signed>
  /** The one that was asked for last: most callers are of one upstream. */
  last: Signed | undefined
}

interface Signed {
  readonly upstream: string
  readonly token: string
  readonly signedBy: string
  /** Milliseconds since the epoch. */
  readonly servesUntil: number
  readonly expiresAt: number
}

const mostContents = 5000
/** Characters. A longer one is known by its digest; no text is one. */
const longestKey = 512

/** @see RFC 7519, RFC 9493 section 3.2.2 (`sub_id`), RFC 8693 section 4.1 (`act`) */
export function createAssertions(settings: AssertionSettings, { clock, keys }: AssertionParts): Assert {
  const byIdentity = new WeakMap<Identity, Content>()
  const contents = new LRUCache<string, Content>({ max: mostContents })

  function contentOf(identity: Identity): Content {
    let content = byIdentity.get(identity)
    if (content === undefined) {
      const key = contentKey(identity)
      content = contents.get(key)
      if (content === undefined) contents.set(key, (content = { byUpstream: new Map(), last: undefined }))
      byIdentity.set(identity, content)
    }
    return content
  }

  return (request) => {
    const now = clock.now()
    const key = keys.current(now)
    const end = endOf(request)
    if (settings.perRequest) {
      const own = { jti: randomUUID(), rid: request.requestId }
      return signAssertion(settings, request, { key, now, end, own }).token
    }
    const { upstream } = request
    const content = contentOf(request.identity)
    const known = content.last?.upstream === upstream ? content.last : content.byUpstream.get(upstream)
    // It must outlive neither its half life, nor its key, nor this credential.
    if (
      known !== undefined &&
      now < known.servesUntil &&
      known.signedBy === key.kid &&
      known.expiresAt <= end
    ) {
      content.last = known
      return known.token
    }
    const signed = signAssertion(settings, request, { key, now, end, own: {} })
    content.byUpstream.set(upstream, signed)
    content.last = signed
    return signed.token
  }
}

/** The credential's `exp` itself: that it is still accepted for the clock skew after it must not be passed on. Milliseconds. */
function endOf({ identity, credential }: AssertionRequest): number {
  const { exp } = identity.claims
  return typeof exp === 'number' ? Math.min(credential.expiresAt, exp * 1000) : credential.expiresAt
}

function contentKey(identity: Identity): string {
  const { issuer, subject, client, tenant, scopes, roles, amr, actor } = identity
  const parts = [issuer, subject, client ?? null, tenant ?? null, scopes, roles, amr, actor ?? null]
  const text = JSON.stringify(parts)
  return text.length <= longestKey ? text : hash('sha256', text, 'base64url')
}

interface Signing {
  readonly key: SigningKey
  readonly now: number
  readonly end: number
  readonly own: Readonly<Record<string, string>>
}

function signAssertion(settings: AssertionSettings, request: AssertionRequest, signing: Signing): Signed {
  const { key, now, end, own } = signing
  const exp = Math.floor(Math.min(now + settings.lifetime, end) / 1000)
  const iat = Math.min(Math.floor(now / 1000), exp)
  const payload = { ...claimsOf(settings, request), iat, exp, ...own }
  const input = `${headerOf(key.kid)}.${base64url(JSON.stringify(payload))}`
  return {
    upstream: request.upstream,
    token: `${input}.${sign(null, Buffer.from(input), key.key).toString('base64url')}`,
    signedBy: key.kid,
    servesUntil: now + (exp * 1000 - now) / 2,
    expiresAt: exp * 1000,
  }
}

function claimsOf(
  settings: AssertionSettings,
  { identity, upstream }: AssertionRequest,
): Record<string, unknown> {
  const { issuer, subject, client, tenant, roles, amr, actor } = identity
  const scopes = tellableScopes(identity)
  return {
    iss: settings.issuer,
    aud: upstream,
    sub: subject,
    sub_id: { format: 'iss_sub', iss: issuer, sub: subject },
    ...(client === undefined ? {} : { client_id: client }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(roles.length === 0 ? {} : { roles }),
    ...(tenant === undefined ? {} : { tenant }),
    amr,
    ...(actor === undefined ? {} : { act: actor }),
  }
}

function headerOf(kid: string): string {
  return base64url(JSON.stringify({ alg: 'EdDSA', typ: 'portcullis+jwt', kid }))
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}
