// Who calls: lists of header fields, one entry for each caller, that the load goes through in turn.
import { createHash, generateKeyPairSync, randomUUID, sign, type webcrypto } from 'node:crypto'
import type { Algorithm, Issuer } from './credentials.ts'

/** The header fields by which one caller proves who it is. */
export type Caller = Readonly<Record<string, string>>

/** Callers whose header fields are good once: new ones are made before each run. */
export interface OneTimeCallers {
  /** @param url without its query, as proofs name it */
  make(url: string, count: number): readonly Caller[]
}

/** Which tokens: so many, all different, of so many different callers in turn. */
export interface Tokens {
  readonly algorithm: Algorithm
  readonly count: number
  readonly callers: number
}

/** Callers with bearer tokens. The same list again where it was asked for before: signing thousands takes a while. */
export interface Wallet {
  bearers(tokens: Tokens): Promise<readonly Caller[]>
}

/** Makes an empty wallet. */
export function createWallet(issuer: Issuer): Wallet {
  const lists = new Map<string, Promise<readonly Caller[]>>()
  return {
    bearers({ algorithm, count, callers }) {
      const key = `${algorithm} ${count} ${callers}`
      const known = lists.get(key)
      if (known !== undefined) return known
      const list = issuer
        .sign(algorithm, count, {}, callers)
        .then((tokens) => tokens.map((token) => ({ Authorization: `Bearer ${token}` })))
      lists.set(key, list)
      return list
    },
  }
}

/**
 * Callers who hold ES256 tokens that are bound to keys of their own, and prove it with each request.
 *
 * @see RFC 9449
 */
export async function createDpopCallers(issuer: Issuer, count: number): Promise<OneTimeCallers> {
  const keys = Array.from({ length: count }, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  const shown = keys.map(({ publicKey }) => publicKey.export({ format: 'jwk' }))
  const tokens = await issuer.sign('ES256', count, (number) => ({ cnf: { jkt: thumbprint(shown[number]!) } }))
  const holders = tokens.map((token, index) => ({
    token,
    key: { key: keys[index]!.privateKey, dsaEncoding: 'ieee-p1363' } as const,
    header: encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: shown[index] }),
    ath: createHash('sha256').update(token).digest('base64url'),
  }))
  return {
    make(url, wanted) {
      const iat = Math.floor(Date.now() / 1000)
      return Array.from({ length: wanted }, (_, index) => {
        const { token, key, header, ath } = holders[index % count]!
        const input = `${header}.${encode({ jti: randomUUID(), htm: 'GET', htu: url, iat, ath })}`
        const proof = `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
        return { Authorization: `DPoP ${token}`, DPoP: proof }
      })
    },
  }
}

/** @see RFC 7638: the members that make the key, in this order */
function thumbprint({ crv, kty, x, y }: webcrypto.JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
