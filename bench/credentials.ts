// What the callers carry: tokens of three algorithms from one made-up issuer, and API keys in the gateway's own form.
import { createHmac, generateKeyPairSync, randomBytes, randomInt, randomUUID, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { crc32 } from 'node:zlib'

/** The algorithms of the rows. */
export type Algorithm = 'RS256' | 'ES256' | 'HS256'

export const issuer = 'https://login.bench.example'
export const audience = 'https://api.bench.example'
export const scope = 'catalog:read'

/** Claims in place of the usual ones: of all tokens, or of each by its number. */
export type Overrides =
  | Readonly<Record<string, unknown>>
  | ((number: number) => Readonly<Record<string, unknown>>)

/** Signs tokens, and publishes the keys that verify them. */
export interface Issuer {
  readonly keySetUrl: string
  readonly hmacSecret: string
  /** The public key as PEM. */
  publicKey(algorithm: 'RS256' | 'ES256'): string
  /**
   * Signs on the thread pool; an RSA signature takes about a millisecond.
   *
   * @param callers how many different callers the tokens are for, in turn; each for another one, if absent
   */
  sign(algorithm: Algorithm, count: number, overrides?: Overrides, callers?: number): Promise<string[]>
  close(): Promise<void>
}

/** Makes keys and serves them on loopback. */
export async function createIssuer(): Promise<Issuer> {
  const pairs = {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  }
  const hmacSecret = randomBytes(32).toString('hex')
  const published = JSON.stringify({
    keys: Object.entries(pairs).map(([alg, { publicKey }]) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid: alg,
      alg,
      use: 'sig',
    })),
  })
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/jwk-set+json')
    response.end(published)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  const signOne = async (
    algorithm: Algorithm,
    number: number,
    overrides: Readonly<Record<string, unknown>>,
  ): Promise<string> => {
    const header = { alg: algorithm, typ: 'at+jwt', kid: algorithm }
    const input = `${encode(header)}.${encode({ ...claims(number), ...overrides })}`
    if (algorithm === 'HS256') {
      return `${input}.${createHmac('sha256', hmacSecret).update(input).digest('base64url')}`
    }
    return `${input}.${(await signature(input, pairs[algorithm].privateKey)).toString('base64url')}`
  }

  return {
    keySetUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    hmacSecret,
    publicKey: (algorithm) => pairs[algorithm].publicKey.export({ type: 'spki', format: 'pem' }),
    async sign(algorithm, count, overrides = {}, callers = count) {
      const changes = typeof overrides === 'function' ? overrides : (): typeof overrides => overrides
      return Promise.all(
        Array.from({ length: count }, (_, number) => signOne(algorithm, number % callers, changes(number))),
      )
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/**
 * A well-formed key: prefix, identifier, secret, and the checksum over all of it.
 */
export function makeApiKey(): { readonly id: string; readonly key: string } {
  const id = base62(12)
  const body = `ptc_${id}_${base62(43)}`
  return { id, key: body + checksum(body) }
}

// Thirteen claims, as many as a real provider's token has: their size is part of what is measured.
function claims(number: number): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: issuer,
    sub: `user-${number}`,
    aud: audience,
    iat: now,
    exp: now + 7200,
    jti: randomUUID(),
    client_id: 'bench-client',
    scope: `openid profile ${scope}`,
    roles: ['viewer', 'editor'],
    tenant: 'north',
    name: `Bench User ${number}`,
    email: `user-${number}@bench.example`,
    auth_time: now,
  }
}

function signature(input: string, key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // RFC 7518 section 3.4: R and S side by side; for RSA the setting has no effect.
    sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, (error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

function base62(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
}

function checksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let place = 0; place < 6; place++) {
    digits = `${alphabet[rest % 62]}${digits}`
    rest = Math.floor(rest / 62)
  }
  return digits
}
