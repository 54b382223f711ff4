/** Which bucket a request draws from. A key must say who unmistakably: no subject may be spelled so that it names another's bucket. */
import { hash } from 'node:crypto'
import { addressBlock } from '../engine/addresses.ts'
import { Recent } from '../engine/recent.ts'
import type { LimitedExchange } from './rate-limit.ts'

export type KeyKind =
  | { readonly kind: 'identity' | 'key' | 'address' | 'route' | 'own' }
  /** Lower-case name. */
  | { readonly kind: 'header'; readonly name: string }

/** @param text `identity`, `key`, `address`, `route` or `header:<name>` @throws {TypeError} on anything else */
export function parseKeyKind(text: string): KeyKind {
  switch (text) {
    case 'identity':
    case 'key':
    case 'address':
    case 'route':
      return { kind: text }
    default:
      if (/^header:[^\s:]+$/.test(text)) return { kind: 'header', name: text.slice(7).toLowerCase() }
      throw new TypeError(`"${text}" is no key of a rate limit`)
  }
}

/** Gives the names of one limit's buckets. */
export type BucketKey = (exchange: LimitedExchange) => string

/** The same callers come again and again: the name for each is made once. */
export function createBucketKey(prefix: string, kind: KeyKind): BucketKey {
  if (kind.kind === 'route' || kind.kind === 'header') return (exchange) => bucketKey(prefix, kind, exchange)
  const byCaller = new WeakMap<object, string>()
  const byAddress = new Recent<string>(1000, 64)
  return (exchange) => {
    const caller = callerOf(kind, exchange)
    if (caller !== undefined) {
      let key = byCaller.get(caller)
      if (key === undefined) byCaller.set(caller, (key = bucketKey(prefix, kind, exchange)))
      return key
    }
    const { clientIp } = exchange.request
    let key = byAddress.get(clientIp)
    if (key === undefined) byAddress.set(clientIp, (key = bucketKey(prefix, kind, exchange)))
    return key
  }
}

/** What alone decides the bucket, and is the same object for each request of a known credential; undefined: the address does. */
function callerOf(kind: KeyKind, { identity, credential }: LimitedExchange): object | undefined {
  switch (kind.kind) {
    case 'identity':
      return identity
    case 'key':
    case 'own':
      return keyIdOf(kind, credential) === undefined ? identity : credential
    case 'address':
    case 'route':
    case 'header':
      return undefined
  }
}

/** @returns the bucket's name: the limit's prefix, the kind of caller that was found, and the caller in bounded length */
function bucketKey(prefix: string, kind: KeyKind, exchange: LimitedExchange): string {
  switch (kind.kind) {
    case 'route':
      return prefix
    case 'address':
      return byAddress(prefix, exchange)
    case 'identity':
      return byIdentity(prefix, exchange)
    case 'key':
    case 'own': {
      const id = keyIdOf(kind, exchange.credential)
      return id === undefined ? byIdentity(prefix, exchange) : `${prefix}key ${bounded(id)}`
    }
    case 'header':
      return byHeader(prefix, kind.name, exchange)
  }
}

/** Beside another credential a key is still the key: a fresh token must not bring it a fresh bucket. */
function keyIdOf(kind: KeyKind, credential: LimitedExchange['credential']): string | undefined {
  return credential?.keyId ?? (isOwn(kind, credential) ? credential?.id : undefined)
}

function isOwn(kind: KeyKind, credential: LimitedExchange['credential']): boolean {
  return kind.kind === 'own' || credential?.kind === 'api-key'
}

function byAddress(prefix: string, { request }: LimitedExchange): string {
  return `${prefix}address ${addressBlock(request.clientIp)}`
}

function byIdentity(prefix: string, exchange: LimitedExchange): string {
  const { identity } = exchange
  if (identity === undefined) return byAddress(prefix, exchange)
  // The length keeps issuer and subject apart, whatever signs the two hold.
  return `${prefix}identity ${identity.issuer.length} ${bounded(`${identity.issuer} ${identity.subject}`)}`
}

/** Without the field the address counts: leaving it out must not be a way into a bucket of its own, nor drain one for all who do. */
function byHeader(prefix: string, name: string, exchange: LimitedExchange): string {
  const { request } = exchange
  if (request.count(name) === 0) return byAddress(prefix, exchange)
  const values = request.values(name)
  return `${prefix}header ${bounded(values.length === 1 ? values[0]! : JSON.stringify(values))}`
}

/** Callers choose these texts: a table of a hundred thousand must not be made to hold sixteen kilobytes of each. */
function bounded(text: string): string {
  return text.length <= 120 ? `=${text}` : `#${hash('sha256', text, 'base64url')}`
}
