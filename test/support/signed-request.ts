/** Callers who sign with a library that nobody here wrote, and the authenticator that they sign for. */
import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { createSigner, httpbis } from 'http-message-signatures'
import {
  createHttpSignatureAuthenticator,
  type HttpSignatureDependencies,
} from '../../src/engine/authenticators/http-signature/authenticator.ts'
import type { SignatureAlgorithm } from '../../src/engine/authenticators/http-signature/algorithms.ts'
import {
  signaturePlace,
  type HttpSignatureSettings,
} from '../../src/engine/authenticators/http-signature/settings.ts'
import type { Outcome } from '../../src/engine/outcome.ts'
import { Secret } from '../../src/engine/secret.ts'
import { gatewayRequest, type RequestParts } from './gateway-request.ts'

export const noon: number = Date.UTC(2026, 0, 1, 12)
const second = noon / 1000

export interface Caller {
  readonly id: string
  readonly algorithm: SignatureAlgorithm
  /** What the caller signs with. */
  readonly secret: KeyObject | string
  /** What the gateway is given. */
  readonly shown: string
}

const pem = { format: 'pem' } as const

function pair(
  id: string,
  algorithm: SignatureAlgorithm,
  keys: { publicKey: KeyObject; privateKey: KeyObject },
): Caller {
  return {
    id,
    algorithm,
    secret: keys.privateKey,
    shown: keys.publicKey.export({ ...pem, type: 'spki' }),
  }
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const shared = randomBytes(32).toString('hex')

/** One for each algorithm. */
export const callers: readonly Caller[] = [
  pair('pss', 'rsa-pss-sha512', rsa),
  pair('rsa', 'rsa-v1_5-sha256', rsa),
  pair('p256', 'ecdsa-p256-sha256', generateKeyPairSync('ec', { namedCurve: 'P-256' })),
  pair('p384', 'ecdsa-p384-sha384', generateKeyPairSync('ec', { namedCurve: 'P-384' })),
  pair('ed', 'ed25519', generateKeyPairSync('ed25519')),
  { id: 'mac', algorithm: 'hmac-sha256', secret: shared, shown: shared },
]
export const edCaller: Caller = callers[4]!

/** A message as the caller's library sees it: `url` is whole. */
export interface Message {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

export interface Signing {
  readonly caller?: Caller
  readonly fields?: readonly string[]
  readonly params?: readonly string[]
  readonly values?: Readonly<Record<string, string | number | Date | null>>
  readonly name?: string
  readonly keyid?: string
}

let count = 0

/** @returns the message with its signature */
export async function sign(message: Message, how: Signing = {}): Promise<Message> {
  const { caller = edCaller, name = 'sig' } = how
  const digested = message.headers['content-digest'] !== undefined
  const signed = await httpbis.signMessage(
    {
      key: createSigner(caller.secret, caller.algorithm, how.keyid ?? caller.id),
      name,
      fields: [...(how.fields ?? ['@method', '@target-uri', ...(digested ? ['content-digest'] : [])])],
      params: [...(how.params ?? ['created', 'keyid', 'nonce'])],
      paramValues: { created: new Date(noon), nonce: `nonce-${(count += 1)}`, ...how.values },
    },
    { method: message.method, url: message.url, headers: { ...message.headers } },
  )
  const headers = signed.headers as Record<string, string>
  return {
    ...message,
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])),
  }
}

export function digestOf(body: string): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
}

export interface SignatureBench {
  judge(message: Message, parts?: RequestParts): Promise<Outcome>
  /** Milliseconds since the epoch. */
  now: number
}

/** The authenticator with all callers' keys, on memory that remembers nonces for ever. */
export function signatureBench(
  settings: Partial<HttpSignatureSettings> = {},
  deps: Partial<HttpSignatureDependencies> = {},
): SignatureBench {
  const seen = new Set<string>()
  const bench: SignatureBench = {
    now: noon,
    async judge(message, parts = {}) {
      const url = new URL(message.url)
      const request = gatewayRequest({
        method: message.method,
        publicOrigin: url.origin,
        target: message.url.slice(url.origin.length),
        headers: message.headers,
        ...parts,
      })
      const value = `${request.header('signature-input') ?? ''}\n${request.header('signature') ?? ''}`
      return authenticator.verify({ value, place: signaturePlace }, request)
    },
  }
  const authenticator = createHttpSignatureAuthenticator(
    {
      type: 'http-signature',
      name: 'partners',
      in: [signaturePlace],
      keys: callers.map(({ id, algorithm, shown }) => ({
        id,
        algorithm,
        key: new Secret(shown),
        owner: `owner-${id}`,
        scopes: ['orders:write'],
        roles: [],
      })),
      components: ['@method', '@target-uri'],
      maxAge: 60_000,
      ...settings,
    },
    {
      clock: { now: () => bench.now },
      once: {
        remember(key) {
          if (seen.has(key)) return 'seen'
          seen.add(key)
          return 'new'
        },
      },
      revocations: { isRevoked: () => false },
      ...deps,
    },
  )
  return bench
}

/** Seconds since the epoch, as signatures write them. */
export function secondsFromNoon(offset: number): Date {
  return new Date((second + offset) * 1000)
}
