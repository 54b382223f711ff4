/** Stolen tokens, stolen proofs, and proofs that were made for something else, from outside. */
import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dpopAlgorithms } from '../../src/engine/challenge.ts'
import type { RawAnswer } from '../raw-client.ts'
import { modes, startBound, type Bound } from '../support/bound.ts'
import { athOf, jktOf, proofClaims, proofJwk } from '../support/proofs.ts'
import { createSigner, encode, type Json } from '../support/tokens.ts'

let world: Bound

beforeAll(async () => {
  world = await startBound()
})

afterAll(() => world[Symbol.asyncDispose]())

const target = '/none/items'
const algs = `algs="${dpopAlgorithms.join(' ')}"`
const realm = 'realm="portcullis"'

function refusal(answer: RawAnswer): readonly unknown[] {
  return [
    answer.status,
    answer.status === 200 ? undefined : answer.json()['code'],
    answer.values('www-authenticate'),
  ]
}

const bearerInvalid = [401, 'credential_invalid', [`Bearer ${realm}, error="invalid_token"`]]
const told = (error: string): readonly unknown[] => [
  401,
  'credential_invalid',
  [`Bearer ${realm}`, `DPoP ${realm}, error="${error}", ${algs}`],
]

function dpop(token: string, proof: string): string[] {
  return [`Authorization: DPoP ${token}`, `DPoP: ${proof}`]
}

describe('the client that has the key', () => {
  it.each(['none', 'optional', 'required', 'dpop'])('passes, under `%s`', async (mode) => {
    const token = world.token()
    const made = (): string => world.proof(token, { htu: `https://api.example.com/${mode}/items` })
    expect((await world.ask(`/${mode}/items?q=1`, dpop(token, made()))).status).toBe(200)
    // Known from memory now, and held to its key all the same.
    expect((await world.ask(`/${mode}/items?q=2`, dpop(token, made()))).status).toBe(200)
    expect(world.backend.messages[0]!.values('dpop')).toEqual([])
    expect(world.backend.messages[0]!.values('authorization')).toEqual([])
  })

  it('passes under another of the public hosts, and by its default port and any case', async () => {
    const token = world.token()
    const other = world.proof(token, { htu: 'https://OTHER.example.com:8443/none/items' })
    expect((await world.ask(target, dpop(token, other), { host: 'other.example.com:8443' })).status).toBe(200)
    const same = world.proof(token, { htu: 'HTTPS://api.example.com:443/none/%69tems#x' })
    expect((await world.ask(target, dpop(token, same), { host: 'API.example.com.:443' })).status).toBe(200)
  })

  it('has its proof passed on only beside the token', async () => {
    const token = world.token()
    const made = world.proof(token, { htu: 'https://api.example.com/keep/items' })
    expect((await world.ask('/keep/items', dpop(token, made))).status).toBe(200)
    expect(world.backend.messages[0]!.values('authorization')).toEqual([`DPoP ${token}`])
    expect(world.backend.messages[0]!.values('dpop')).toEqual([made])
  })

  it('is told by its own scheme what scope it lacks', async () => {
    const token = world.token({ scope: 'items:read' })
    const made = world.proof(token, { htu: 'https://api.example.com/scoped/items' })
    const answer = await world.ask('/scoped/items', dpop(token, made))
    expect(refusal(answer)).toEqual([
      403,
      'insufficient_scope',
      [`DPoP ${realm}, error="insufficient_scope", scope="items:write"`],
    ])
  })

  it('is judged once by a rule that is only tried out, which sees no replay in it', async () => {
    const token = world.token()
    const made = world.proof(token, { htu: 'https://api.example.com/tried/items' })
    expect((await world.ask('/tried/items', dpop(token, made))).status).toBe(200)
    const metrics = await (await fetch(`${world.gateway.gateway.adminUrl}/metrics`)).text()
    expect(metrics).not.toMatch(/would_refuse.*tried/)
  })
})

describe('a way in', () => {
  it.each<[string, readonly string[]]>([
    ['none', [`Bearer ${realm}`]],
    ['mtls', [`Bearer ${realm}`]],
    ['dpop', [`DPoP ${realm}, ${algs}`]],
    ['optional', [`Bearer ${realm}`, `DPoP ${realm}, ${algs}`]],
    ['required', [`Bearer ${realm}`, `DPoP ${realm}, ${algs}`]],
  ])('is told to strangers, under `%s`', async (mode, ways) => {
    expect(refusal(await world.ask(`/${mode}/items`, []))).toEqual([401, 'credential_missing', ways])
  })
})

describe('a stolen token', () => {
  it.each(modes.filter((mode) => mode !== 'mtls'))(
    'is of no use as a bearer token, under `%s`',
    async (mode) => {
      const token = world.token()
      const answer = await world.ask(`/${mode}/items`, [`Authorization: Bearer ${token}`])
      const lines = answer.values('www-authenticate')
      expect([answer.status, answer.json()['code']]).toEqual([401, 'credential_invalid'])
      expect(lines).toContain(`DPoP ${realm}, error="invalid_token", ${algs}`)
      expect(world.backend.messages).toEqual([])
    },
  )

  it('is of no use after its owner used it', async () => {
    const token = world.token()
    expect((await world.ask(target, dpop(token, world.proof(token)))).status).toBe(200)
    expect(refusal(await world.ask(target, [`Authorization: Bearer ${token}`]))).toEqual(
      told('invalid_token'),
    )
    expect(refusal(await world.ask(target, [`Authorization: DPoP ${token}`]))).toEqual(told('invalid_token'))
  })

  it('is of no use with a proof of the thief’s own key', async () => {
    const token = world.token()
    const theirs = world.proof(token, {}, {}, createSigner('ES256'))
    expect(refusal(await world.ask(target, dpop(token, theirs)))).toEqual(told('invalid_token'))
  })

  it('is of no use as a bearer token beside a proof', async () => {
    const token = world.token()
    const fields = [`Authorization: Bearer ${token}`, `DPoP: ${world.proof(token)}`]
    expect(refusal(await world.ask(target, fields))).toEqual(told('invalid_token'))
  })

  it.each<[string, unknown]>([
    ['a certificate', { 'x5t#S256': 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0' }],
    ['a key in place', { jwk: { kty: 'EC' } }],
    ['something new', { 'x-new': 1 }],
    ['nothing', {}],
    ['null', null],
  ])('is of no use where it is bound to %s', async (_what, cnf) => {
    for (const mode of ['none', 'optional', 'required', 'mtls']) {
      const answer = await world.ask(`/${mode}/items`, [`Authorization: Bearer ${world.token({ cnf })}`])
      expect(refusal(answer)[2]).toContain(`Bearer ${realm}, error="invalid_token"`)
      expect(answer.status).toBe(401)
    }
  })
})

describe('a stolen proof', () => {
  it('is of no use a second time', async () => {
    const token = world.token()
    const made = world.proof(token)
    expect((await world.ask(target, dpop(token, made))).status).toBe(200)
    expect(refusal(await world.ask(target, dpop(token, made)))).toEqual(told('invalid_dpop_proof'))
  })

  it('passes once, however many send it at the same time', async () => {
    const token = world.token()
    const made = world.proof(token)
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.ask(target, dpop(token, made))))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it.each<[string, () => Json]>([
    ['another path', () => ({ htu: 'https://api.example.com/none/other' })],
    ['another method', () => ({ htm: 'POST' })],
    ['another host', () => ({ htu: 'https://evil.example.com/none/items' })],
    ['another of the public hosts', () => ({ htu: 'https://other.example.com:8443/none/items' })],
    ['another scheme', () => ({ htu: 'http://api.example.com/none/items' })],
    ['a host in disguise', () => ({ htu: 'https://api.example.com@evil.example/none/items' })],
    ['a host with a trailing dot', () => ({ htu: 'https://api.example.com./none/items' })],
    ['a path that is encoded twice', () => ({ htu: 'https://api.example.com/none/%2569tems' })],
    ['another token', () => ({ ath: athOf('another') })],
    ['no token', () => ({ ath: undefined })],
    ['long ago', () => ({ iat: Math.floor(Date.now() / 1_000) - 300 })],
    ['later', () => ({ iat: Math.floor(Date.now() / 1_000) + 300 })],
  ])('is of no use when it was made for %s', async (_what, claims) => {
    const token = world.token()
    const answer = await world.ask(target, dpop(token, world.proof(token, claims())))
    expect(refusal(answer)).toEqual(told('invalid_dpop_proof'))
    expect(world.backend.messages).toEqual([])
  })

  it('is of no use with the token of another user', async () => {
    const [mine, theirs] = [world.token({ sub: 'mallory' }), world.token({ sub: 'alice' })]
    expect(refusal(await world.ask(target, dpop(theirs, world.proof(mine))))).toEqual(
      told('invalid_dpop_proof'),
    )
  })

  it('is of no use at a host that is none of ours', async () => {
    const token = world.token()
    for (const host of ['evil.example.com', '127.0.0.1']) {
      const made = world.proof(token, { htu: `https://${host}/none/items` })
      expect(refusal(await world.ask(target, dpop(token, made), { host }))).toEqual(
        told('invalid_dpop_proof'),
      )
    }
  })
})

describe('a forged proof', () => {
  it.each<[string, Json]>([
    ['no signature algorithm', { alg: 'none' }],
    ['a symmetric algorithm', { alg: 'HS256' }],
    ['another type', { typ: 'at+jwt' }],
    ['a critical extension', { crit: ['b64'], b64: false }],
  ])('with %s', async (_what, header) => {
    const token = world.token()
    const answer = await world.ask(target, dpop(token, world.proof(token, {}, header)))
    expect(refusal(answer)).toEqual(told('invalid_dpop_proof'))
  })

  it('that is a MAC under the public key', async () => {
    const token = world.token()
    const jwk = proofJwk(world.signer)
    const claims = proofClaims(token, {
      htu: 'https://api.example.com/none/items',
      iat: Math.floor(Date.now() / 1_000),
    })
    const signed = `${encode({ typ: 'dpop+jwt', alg: 'HS256', jwk })}.${encode(claims)}`
    for (const secret of [
      JSON.stringify(jwk),
      world.signer.publicKey.export({ type: 'spki', format: 'pem' }),
    ]) {
      const mac = createHmac('sha256', secret).update(signed).digest('base64url')
      expect(refusal(await world.ask(target, dpop(token, `${signed}.${mac}`)))).toEqual(
        told('invalid_dpop_proof'),
      )
    }
  })

  it('that brings the private key along, or a symmetric one', async () => {
    const token = world.token()
    for (const jwk of [world.signer.privateKey.export({ format: 'jwk' }), { kty: 'oct', k: 'AAAA' }]) {
      const answer = await world.ask(target, dpop(token, world.proof(token, {}, { jwk })))
      expect(refusal(answer)).toEqual(told('invalid_dpop_proof'))
    }
  })

  it('under the right key’s name and another’s signature', async () => {
    const token = world.token()
    const made = world.proof(token, {}, { jwk: proofJwk(world.signer) }, createSigner('ES256'))
    expect(refusal(await world.ask(target, dpop(token, made)))).toEqual(told('invalid_dpop_proof'))
  })

  it('beside a good one, in two fields or one', async () => {
    const token = world.token()
    const [good, other] = [world.proof(token), world.proof(token)]
    expect(refusal(await world.ask(target, [...dpop(token, good), `dpop: ${other}`]))).toEqual(
      told('invalid_dpop_proof'),
    )
    expect(refusal(await world.ask(target, dpop(token, `${good}, ${other}`)))).toEqual(
      told('invalid_dpop_proof'),
    )
    // Neither was used up by that.
    expect((await world.ask(target, dpop(token, good))).status).toBe(200)
  })
})

describe('a proof that protects nothing', () => {
  it('is refused beside a token that names no key', async () => {
    const token = world.token({ cnf: undefined })
    const fields = [`Authorization: Bearer ${token}`, `DPoP: ${world.proof(token)}`]
    expect(refusal(await world.ask(target, fields))).toEqual(bearerInvalid)
    expect(refusal(await world.ask(target, dpop(token, world.proof(token))))).toEqual(told('invalid_token'))
    expect((await world.ask(target, [`Authorization: Bearer ${token}`])).status).toBe(200)
  })

  it('is refused beside two tokens', async () => {
    const token = world.token()
    const fields = [
      ...dpop(token, world.proof(token)),
      `Authorization: Bearer ${world.token({ cnf: undefined })}`,
    ]
    const answer = await world.ask(target, fields)
    expect([answer.status, answer.json()['code']]).toEqual([400, 'credential_ambiguous'])
  })
})

describe('a route that takes bound tokens only', () => {
  it.each<[string, readonly string[]]>([
    ['required', [`Bearer ${realm}, error="invalid_token"`, `DPoP ${realm}, ${algs}`]],
    ['dpop', [`DPoP ${realm}, error="invalid_token", ${algs}`]],
    ['mtls', [`Bearer ${realm}, error="invalid_token"`]],
  ])('refuses others, under `%s`', async (mode, ways) => {
    const token = world.token({ cnf: undefined })
    const answer = await world.ask(`/${mode}/items`, [`Authorization: Bearer ${token}`])
    expect(refusal(answer)).toEqual([401, 'credential_invalid', ways])
  })

  it('refuses a token that is bound in another way', async () => {
    const token = world.token()
    const made = world.proof(token, { htu: 'https://api.example.com/mtls/items' })
    expect((await world.ask('/mtls/items', dpop(token, made))).status).toBe(401)
  })
})

describe('a proof without the nonce that is wanted', () => {
  const htu = 'https://api.example.com/nonce/items'

  it('is answered with one, as often as it takes, and counts as no guess', async () => {
    const token = world.token()
    const options = { from: '127.0.0.77' }
    let nonce: string | undefined
    for (let n = 0; n < 30; n += 1) {
      const answer = await world.ask('/nonce/items', dpop(token, world.proof(token, { htu })), options)
      expect(refusal(answer)).toEqual([
        401,
        'credential_invalid',
        [`DPoP ${realm}, error="use_dpop_nonce", ${algs}`],
      ])
      nonce = answer.field('dpop-nonce')
    }
    const fields = dpop(token, world.proof(token, { htu, nonce }))
    const answer = await world.ask('/nonce/items', fields, options)
    expect(answer.status).toBe(200)
    expect(answer.field('dpop-nonce')).toBeUndefined()
  })

  it('is refused with an invented one', async () => {
    const token = world.token()
    for (const nonce of ['x', 'x'.repeat(22), '']) {
      const answer = await world.ask('/nonce/items', dpop(token, world.proof(token, { htu, nonce })))
      expect(answer.values('www-authenticate')[0]).toContain('error="use_dpop_nonce"')
    }
  })
})

describe('whoever guesses signatures of proofs', () => {
  it('is locked out like any other guesser', async () => {
    const options = { from: '127.0.0.78' }
    const thief = createSigner('ES256')
    let last: RawAnswer | undefined
    for (let n = 0; n < 21; n += 1) {
      const token = world.token({ jti: `guess-${n}` })
      const made = world.proof(token, {}, { jwk: proofJwk(world.signer) }, thief)
      last = await world.ask(target, dpop(token, made), options)
    }
    expect([last!.status, last!.json()['code']]).toEqual([429, 'locked_out'])
    expect(jktOf(thief)).not.toBe(jktOf(world.signer))
  })
})
