/** Attacks on the choice of algorithm and key. Each one has a good token beside it, so that a refusal means something. */
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { onBench } from '../support/jwt-authenticator.ts'
import { accessClaims, createSigner, encode, mint, signBytes, type Json } from '../support/tokens.ts'

const rsa = createSigner('RS256')
const p256 = createSigner('ES256')
const p384 = createSigner('ES384')
const ed = createSigner('EdDSA')
const jwks = [rsa.jwk, p256.jwk, p384.jwk, ed.jwk]
const bench = onBench(jwks)

function compact(header: Json, signature: (signed: Buffer) => Buffer | string): string {
  const signed = `${encode(header)}.${encode(accessClaims())}`
  const made = signature(Buffer.from(signed))
  return `${signed}.${typeof made === 'string' ? made : made.toString('base64url')}`
}

it('the good tokens that the attacks are made from are accepted', async () => {
  for (const signer of [rsa, p256, p384, ed])
    expect(await bench.judge(mint(signer, accessClaims()))).toBe('verified')
})

describe('no signature', () => {
  it.each(['none', 'None', 'NONE', 'nOnE', '', ' none'])('alg %j with an empty signature', async (alg) => {
    expect(await bench.judge(compact({ alg, typ: 'JWT' }, () => ''))).toBe('token_malformed')
  })

  it.each(['none', 'None', 'NONE', 'nOnE', '', ' none'])('alg %j with some signature', async (alg) => {
    expect(await bench.judge(compact({ alg, kid: rsa.kid }, () => 'AAAA'))).toBe('token_algorithm')
  })

  it('a stripped signature', async () => {
    const token = mint(rsa, accessClaims())
    const [header = '', claims = ''] = token.split('.')
    for (const stripped of [`${header}.${claims}`, `${header}.${claims}.`, `${header}.${claims}..`]) {
      expect(await bench.judge(stripped)).toBe('token_malformed')
    }
  })

  it.each([undefined, null, 1, ['RS256'], { alg: 'RS256' }])('alg %j, which is no name', async (alg) => {
    expect(
      await bench.judge(compact({ alg, kid: rsa.kid }, (data) => signBytes('RS256', rsa.privateKey, data))),
    ).toBe('token_malformed')
  })
})

describe('algorithm confusion: the public key as an HMAC secret', () => {
  const spellings: readonly (readonly [string, string | Buffer])[] = [
    ['PEM', rsa.publicKey.export({ format: 'pem', type: 'spki' })],
    ['PEM without its last line break', rsa.publicKey.export({ format: 'pem', type: 'spki' }).trimEnd()],
    ['PKCS #1 PEM', rsa.publicKey.export({ format: 'pem', type: 'pkcs1' })],
    ['DER', rsa.publicKey.export({ format: 'der', type: 'spki' })],
    ['JWK', JSON.stringify(rsa.jwk)],
    ['modulus', Buffer.from(String(rsa.jwk['n']), 'base64url')],
    ['nothing', ''],
  ]

  it.each(spellings)('as %s', async (_spelling, secret) => {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const hash = `sha${alg.slice(2)}`
      const forged = compact({ alg, kid: rsa.kid, typ: 'JWT' }, (data) =>
        createHmac(hash, secret).update(data).digest(),
      )
      expect(await bench.judge(forged)).toBe('token_algorithm')
    }
  })
})

describe('a key of another kind', () => {
  it('a good signature under the kid of another key', async () => {
    for (const [signer, kid] of [
      [rsa, p256.kid],
      [p256, p384.kid],
      [p384, ed.kid],
      [ed, rsa.kid],
    ] as const) {
      expect(await bench.judge(mint(signer, accessClaims(), { kid }))).toBe('token_key_unfit')
    }
  })

  it('a wrong curve: an ES256 header over a P-384 key, and a P-384 signature over an ES256 key', async () => {
    const overP384 = compact({ alg: 'ES256', kid: p384.kid }, (data) =>
      signBytes('ES256', p384.privateKey, data),
    )
    expect(await bench.judge(overP384)).toBe('token_key_unfit')
    const long = compact({ alg: 'ES256', kid: p256.kid }, (data) => signBytes('ES384', p384.privateKey, data))
    expect(await bench.judge(long)).toBe('token_signature')
  })

  it('a PSS signature with the key of PKCS #1, and the other way round', async () => {
    const forged = compact({ alg: 'PS256', kid: rsa.kid }, (data) => signBytes('PS256', rsa.privateKey, data))
    expect(await bench.judge(forged)).toBe('token_key_unfit')
    const crossed = compact({ alg: 'RS256', kid: rsa.kid }, (data) =>
      signBytes('PS256', rsa.privateKey, data),
    )
    expect(await bench.judge(crossed)).toBe('token_signature')
  })

  it('a weaker hash under the name of the stronger', async () => {
    const sha1 = compact({ alg: 'RS256', kid: rsa.kid }, (data) => sign('sha1', data, rsa.privateKey))
    expect(await bench.judge(sha1)).toBe('token_signature')
    const other = compact({ alg: 'RS256', kid: rsa.kid }, (data) => sign('sha512', data, rsa.privateKey))
    expect(await bench.judge(other)).toBe('token_signature')
  })

  it('a small RSA key, though it is published', async () => {
    const small = createSigner('RS256', 'small', 1024)
    const weak = onBench([small.jwk, rsa.jwk])
    expect(await weak.judge(mint(small, accessClaims()))).toBe('token_key_unknown')
    expect(await weak.judge(mint(small, accessClaims(), { kid: undefined }))).toBe('token_signature')
  })

  it('an encryption key, though it is published', async () => {
    const shared = onBench([{ ...rsa.jwk, use: 'enc' }, p256.jwk])
    expect(await shared.judge(mint(rsa, accessClaims()))).toBe('token_key_unknown')
  })
})

describe('signatures that are none', () => {
  it.each([
    ['r = s = 0', Buffer.alloc(64)],
    ['r = 0', Buffer.concat([Buffer.alloc(32), Buffer.alloc(32, 1)])],
    ['s = 0', Buffer.concat([Buffer.alloc(32, 1), Buffer.alloc(32)])],
    [
      'r = s = the order of the curve',
      Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'.repeat(2), 'hex'),
    ],
    ['all ones', Buffer.alloc(64, 0xff)],
    ['too short', Buffer.alloc(63, 1)],
    ['too long', Buffer.alloc(65, 1)],
  ])('a psychic ES256 signature: %s', async (_what, signature) => {
    expect(await bench.judge(compact({ alg: 'ES256', kid: p256.kid }, () => signature))).toBe(
      'token_signature',
    )
  })

  it('an ES256 signature in DER, which is another spelling of a good one', async () => {
    const forged = compact({ alg: 'ES256', kid: p256.kid }, (data) => sign('sha256', data, p256.privateKey))
    expect(await bench.judge(forged)).toBe('token_signature')
  })

  it.each([
    ['zero', Buffer.alloc(256)],
    ['one', Buffer.concat([Buffer.alloc(255), Buffer.from([1])])],
    ['all ones', Buffer.alloc(256, 0xff)],
    ['a good one with a leading zero', undefined],
  ])('an RS256 signature: %s', async (_what, signature) => {
    const forged = compact({ alg: 'RS256', kid: rsa.kid }, (data) => {
      return signature ?? Buffer.concat([Buffer.from([0]), signBytes('RS256', rsa.privateKey, data)])
    })
    expect(await bench.judge(forged)).toBe('token_signature')
  })

  it.each([
    ['zero', Buffer.alloc(64)],
    ['the identity and zero', Buffer.concat([Buffer.from([1]), Buffer.alloc(63)])],
    ['all ones', Buffer.alloc(64, 0xff)],
  ])('an EdDSA signature: %s', async (_what, signature) => {
    expect(await bench.judge(compact({ alg: 'EdDSA', kid: ed.kid }, () => signature))).toBe('token_signature')
  })

  it('an EdDSA signature whose scalar was made larger by the order: another spelling of a good one', async () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const forged = compact({ alg: 'EdDSA', kid: ed.kid }, (data) => {
      const good = signBytes('EdDSA', ed.privateKey, data)
      const scalar = BigInt(`0x${Buffer.from(good.subarray(32)).reverse().toString('hex')}`) + order
      const larger = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse()
      return Buffer.concat([good.subarray(0, 32), larger])
    })
    expect(await bench.judge(forged)).toBe('token_signature')
  })

  it('a signature by a stranger with the right kid', async () => {
    for (const alg of ['RS256', 'ES256', 'ES384', 'EdDSA']) {
      expect(await bench.judge(mint(createSigner(alg), accessClaims()))).toBe('token_signature')
    }
  })

  it('the signature of another token', async () => {
    const [, , signature = ''] = mint(rsa, accessClaims({ sub: 'mallory' })).split('.')
    const [header = '', claims = ''] = mint(rsa, accessClaims({ sub: 'admin' })).split('.')
    expect(await bench.judge(`${header}.${claims}.${signature}`)).toBe('token_signature')
  })
})

describe('keys that the token brings along', () => {
  const mallory = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = createPublicKey(mallory.privateKey).export({ format: 'jwk' })
  const forge = (header: Json): string =>
    compact({ alg: 'RS256', typ: 'JWT', ...header }, (data) => signBytes('RS256', mallory.privateKey, data))

  it.each<[string, Json]>([
    ['jwk', { jwk }],
    ['jwk with the kid of a good key', { jwk: { ...jwk, kid: rsa.kid }, kid: rsa.kid }],
    ['jku', { jku: 'https://evil.example/jwks.json', kid: rsa.kid }],
    ['x5u', { x5u: 'https://evil.example/cert.pem', kid: rsa.kid }],
    ['x5c', { x5c: ['MIIB'], kid: rsa.kid }],
    ['x5t', { x5t: 'AAAA', 'x5t#S256': 'AAAA', kid: rsa.kid }],
  ])('%s is not even read', async (_name, header) => {
    expect(await bench.judge(forge(header))).toBe('token_signature')
  })

  it('and a good token that carries them is judged by the published key all the same', async () => {
    const token = mint(rsa, accessClaims(), { jwk, jku: 'https://evil.example/jwks.json', x5c: ['MIIB'] })
    expect(await bench.judge(token)).toBe('verified')
  })

  it.each([
    '../../../../dev/null',
    "x' UNION SELECT 'secret",
    '/proc/sys/kernel/randomize_va_space',
    '__proto__',
    'constructor',
    'toString',
    '',
    '\0',
    'RS256-1\0',
    ' RS256-1',
    'rs256-1',
    'https://evil.example/key',
  ])('a kid that is meant for a file, a table or an object: %j', async (kid) => {
    expect(await bench.judge(forge({ kid }))).toBe('token_key_unknown')
  })

  it.each([1, true, ['RS256-1'], { kid: 'RS256-1' }, null, 'k'.repeat(257)])(
    'a kid that is no short text: %j',
    async (kid) => {
      expect(await bench.judge(mint(rsa, accessClaims(), { kid }))).toBe('token_malformed')
    },
  )
})

describe('extensions that are not understood', () => {
  it.each<[string, Json]>([
    ['crit with b64', { crit: ['b64'], b64: true }],
    ['crit with an unencoded payload', { crit: ['b64'], b64: false }],
    ['b64 alone', { b64: false }],
    ['b64 that changes nothing', { b64: true }],
    ['crit with exp', { crit: ['exp'], exp: 1 }],
    ['an empty crit', { crit: [] }],
    ['crit that is no list', { crit: 'alg' }],
    ['crit null', { crit: null }],
  ])('%s', async (_what, header) => {
    expect(await bench.judge(mint(rsa, accessClaims(), header))).toBe('token_critical_header')
  })
})
