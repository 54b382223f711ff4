/** Makes tokens, good and bad, and the keys, settings and neighbours that go with them. */
import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import type { JwtSettings } from '../../src/engine/authenticators/jwt/settings.ts'
import type { ProviderSettings } from '../../src/configuration.ts'
import type { Presented } from '../../src/engine/authenticators/authenticator.ts'
import type { CredentialPlace } from '../../src/engine/identity.ts'
import type { KeyLookup, KeySet } from '../../src/ports/key-sets.ts'
import type { RevocationCheck, RevocationFacts } from '../../src/ports/revocations.ts'
import { indexKeys } from '../../src/remote/key-index.ts'
import { readKeySet, type KeysByContent } from '../../src/remote/jwk-set.ts'

export type Json = Readonly<Record<string, unknown>>

export interface Signer {
  readonly alg: string
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** As it is published. */
  readonly jwk: Json
}

const hashes: Readonly<Record<string, string>> = { '256': 'sha256', '384': 'sha384', '512': 'sha512' }
const curves: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }

export function createSigner(alg: string, kid: string = `${alg}-1`, modulusLength = 2048): Signer {
  const { privateKey, publicKey } = keyPair(alg, modulusLength)
  return {
    alg,
    kid,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
  }
}

function keyPair(alg: string, modulusLength: number): { privateKey: KeyObject; publicKey: KeyObject } {
  if (alg.startsWith('ES')) return generateKeyPairSync('ec', { namedCurve: curves[alg] ?? alg })
  if (alg.startsWith('Ed')) return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength })
}

export function signBytes(alg: string, key: KeyObject, data: Buffer): Buffer {
  if (alg.startsWith('Ed')) return sign(undefined, data, key)
  return sign(hashes[alg.slice(2)], data, {
    key,
    dsaEncoding: 'ieee-p1363',
    ...(alg.startsWith('PS')
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {}),
  })
}

export function encode(value: Json | string | Buffer): string {
  if (Buffer.isBuffer(value)) return value.toString('base64url')
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** A properly signed token. Text in place of an object goes in as it is; a header member that is undefined is left out. */
export function mint(signer: Signer, claims: Json | string | Buffer, header: Json | string = {}): string {
  const full =
    typeof header === 'string' ? header : { alg: signer.alg, kid: signer.kid, typ: 'JWT', ...header }
  const signed = `${encode(full)}.${encode(claims)}`
  return `${signed}.${signBytes(signer.alg, signer.privateKey, Buffer.from(signed)).toString('base64url')}`
}

export const issuer = 'https://login.example.com'
export const audience = 'https://api.example.com'
/** 2026-11-24T12:00:00Z, the time at which tests take place. */
export const noon = 1_795_521_600_000

/** Claims of a plain good access token, with changes. */
export function accessClaims(changes: Json = {}): Json {
  const now = noon / 1000
  return {
    iss: issuer,
    sub: 'alice',
    aud: audience,
    iat: now - 60,
    exp: now + 600,
    client_id: 'catalog-app',
    scope: 'catalog:read',
    ...changes,
  }
}

export function providerSettings(changes: Partial<ProviderSettings> = {}): ProviderSettings {
  return {
    name: 'corp',
    type: 'oidc',
    parameters: { issuer },
    discovery: false,
    endpoints: {},
    clockSkew: 30_000,
    staleKeys: 86_400_000,
    claims: {},
    allowInsecure: false,
    ...changes,
  }
}

export const bearerPlace: CredentialPlace = { kind: 'header', name: 'authorization', scheme: 'Bearer' }

export function jwtSettings(changes: Partial<JwtSettings> = {}): JwtSettings {
  return {
    type: 'jwt',
    name: 'corp-token',
    in: [bearerPlace],
    provider: 'corp',
    audience: [audience],
    algorithms: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'],
    secretEncoding: 'utf8',
    requiredClaims: [],
    binding: { mode: 'none', dpop: { nonce: false, window: 60_000 } },
    ...changes,
  }
}

export function presented(value: string, place: CredentialPlace = bearerPlace): Presented {
  return { value, place, scheme: 'Bearer' }
}

/** A key set that is simply there, read by the same code as a fetched one. `publish` replaces it. */
export interface FixedKeySet extends KeySet {
  publish(jwks: readonly Json[]): void
  /** Selectors that were asked for. */
  readonly asked: readonly { readonly kid?: string; readonly alg: string }[]
  /** When set, what every look-up answers. */
  answer: KeyLookup | undefined
}

export function fixedKeySet(jwks: readonly Json[]): FixedKeySet {
  let keys: KeysByContent = readKeySet({ keys: jwks }, new Map())
  let index = indexKeys(keys)
  let generation = 1
  const asked: { readonly kid?: string; readonly alg: string }[] = []
  return {
    asked,
    answer: undefined,
    get generation() {
      return generation
    },
    holds: (key) => index.has(key),
    publish(next) {
      keys = readKeySet({ keys: next }, keys)
      index = indexKeys(keys)
      generation += 1
    },
    find(selector) {
      asked.push(selector)
      if (this.answer !== undefined) return this.answer
      const match = index.match(selector)
      if (match === 'unfit') return { outcome: 'unfit' }
      return typeof match === 'string' ? { outcome: 'unknown' } : { outcome: 'found', key: match, generation }
    },
  }
}

/** Revokes what a test says. */
export interface TestRevocations extends RevocationCheck {
  covers: (facts: RevocationFacts) => boolean
}

export function testRevocations(): TestRevocations {
  return {
    covers: () => false,
    isRevoked(facts) {
      return this.covers(facts)
    },
  }
}

export interface TestClock {
  time: number
  now(): number
}

export function testClock(time: number = noon): TestClock {
  return {
    time,
    now() {
      return this.time
    },
  }
}
