/** A second opinion: whatever this verifier accepts, `jose` accepts too, and both read the same claims. */
import * as fc from 'fast-check'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { onBench } from '../../../../test/support/jwt-authenticator.ts'
import {
  accessClaims,
  audience,
  createSigner,
  encode,
  issuer,
  mint,
  noon,
  signBytes,
  type Json,
} from '../../../../test/support/tokens.ts'

const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519']
const signers = algorithms.map((alg) => createSigner(alg))
const jwks = signers.map(({ jwk }) => jwk)
const bench = onBench(jwks)
const oracleKeys = createLocalJWKSet({ keys: jwks })

async function oracle(token: string): Promise<Json | undefined> {
  try {
    const { payload } = await jwtVerify(token, oracleKeys, {
      algorithms,
      issuer,
      audience,
      clockTolerance: 30,
      currentDate: new Date(noon),
      requiredClaims: ['exp', 'sub'],
    })
    return payload
  } catch {
    return undefined
  }
}

async function ours(token: string): Promise<Json | undefined> {
  const outcome = await bench.verify(token)
  return outcome.outcome === 'verified' ? outcome.identity.claims : undefined
}

const second = noon / 1000
const anySigner = fc.constantFrom(...signers)
const time = fc.oneof(
  fc.integer({ min: second - 120, max: second + 120 }),
  fc.double(),
  fc.constantFrom<unknown>('x', null, undefined, 0, -1, 1e300, true),
)

/** Mostly the good value, so that many tokens have one fault and some have none. */
function mostly(good: unknown, odd: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: odd })
}

const claims = fc
  .record({
    iss: mostly(issuer, fc.constantFrom<unknown>(`${issuer}/`, [issuer], undefined)),
    aud: mostly(
      audience,
      fc.constantFrom<unknown>([audience], [audience, 'x'], 'x', [], undefined, { 0: audience }),
    ),
    sub: mostly('alice', fc.oneof(fc.constantFrom<unknown>('', undefined, 1), fc.string())),
    exp: mostly(second + 600, time),
    nbf: mostly(undefined, time),
    iat: mostly(undefined, time),
    scope: mostly('a', fc.constantFrom<unknown>(undefined, ['a'], 1)),
    extra: fc.jsonValue(),
  })
  .map((changes) => accessClaims(changes))
const header = anySigner.chain((signer) =>
  fc.record({
    signer: fc.constant(signer),
    members: fc.record({
      typ: mostly('JWT', fc.constantFrom<unknown>('at+jwt', undefined, 'x', 1)),
      alg: mostly(signer.alg, fc.constantFrom(...algorithms, 'none', 'HS256', 'RS512', 'es256')),
      kid: mostly(
        signer.kid,
        fc.constantFrom<unknown>(...signers.map(({ kid }) => kid), 'x', undefined, 1, ''),
      ),
      crit: mostly(undefined, fc.constantFrom<unknown>(['b64'], [], ['exp'])),
      b64: mostly(undefined, fc.boolean()),
      extra: fc.jsonValue(),
    }),
  }),
)

/** Ours may be stricter, never more lenient. */
async function neverMoreLenient(token: string): Promise<boolean> {
  const accepted = await ours(token)
  if (accepted === undefined) return false
  expect(await oracle(token)).toEqual(accepted)
  return true
}

describe('against jose', { timeout: 120_000 }, () => {
  it('good tokens are accepted by both', async () => {
    for (const signer of signers) expect(await neverMoreLenient(mint(signer, accessClaims()))).toBe(true)
  })

  it('no signed token is accepted by this verifier alone, whatever its header and claims', async () => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(claims, header, async (payload, { signer, members }) => {
        accepted += Number(await neverMoreLenient(mint(signer, payload, members)))
      }),
      { numRuns: 1_500 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  it('no token with bent characters is accepted by this verifier alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySigner,
        fc.nat(),
        fc.constantFrom('delete', 'replace', 'insert', 'swap'),
        fc.constantFrom(...Array.from('AZaz09-_=+/. \n\0{"é')),
        async (signer, at, edit, letter) => {
          const token = mint(signer, accessClaims())
          const bent = bend(token, at % token.length, edit, letter)
          expect(bent === token || (await ours(bent)) === undefined).toBe(true)
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('no bent JSON under a good signature is accepted by this verifier alone', async () => {
    const text = JSON.stringify(accessClaims({ list: [1, { a: null }], deep: { b: true } }))
    await fc.assert(
      fc.asyncProperty(
        anySigner,
        fc.nat(),
        fc.constantFrom('delete', 'replace', 'insert', 'swap'),
        fc.constantFrom(...Array.from('{}[]",:\\0e+ \n\u0000éx')),
        async (signer, at, edit, letter) => {
          await neverMoreLenient(mint(signer, bend(text, at % text.length, edit, letter)))
        },
      ),
      { numRuns: 1_000 },
    )
  })

  it('no signature of another kind is accepted by either', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySigner,
        anySigner,
        fc.constantFrom('RS256', 'RS512', 'PS256', 'PS512', 'ES256', 'ES384', 'EdDSA'),
        async (named, signer, used) => {
          const signed = `${encode({ alg: named.alg, kid: named.kid })}.${encode(accessClaims())}`
          const isRsa = signer.publicKey.asymmetricKeyType === 'rsa'
          fc.pre(isRsa === /^[RP]S/.test(used) && signer.alg.startsWith('E') === used.startsWith('E'))
          fc.pre(signer.publicKey.asymmetricKeyType === 'ed25519' ? used === 'EdDSA' : used !== 'EdDSA')
          const signature = signBytes(used, signer.privateKey, Buffer.from(signed)).toString('base64url')
          const accepted = await neverMoreLenient(`${signed}.${signature}`)
          expect(accepted && signer !== named).toBe(false)
        },
      ),
      { numRuns: 300 },
    )
  })
})

function bend(text: string, at: number, edit: string, letter: string): string {
  const [before, here, after] = [text.slice(0, at), text.charAt(at), text.slice(at + 1)]
  switch (edit) {
    case 'delete':
      return before + after
    case 'replace':
      return before + letter + after
    case 'insert':
      return before + letter + here + after
    default:
      return before + after.slice(0, 1) + here + after.slice(1)
  }
}
