import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  callers,
  digestOf,
  edCaller,
  secondsFromNoon,
  sign,
  signatureBench,
  type Message,
} from '../../../../test/support/signed-request.ts'
import { Secret } from '../../secret.ts'

const get: Message = { method: 'GET', url: 'https://api.example.com/orders?id=7', headers: {} }
const body = '{"amount":1}'
const post: Message = {
  method: 'POST',
  url: 'https://api.example.com/orders',
  headers: { 'content-digest': digestOf(body), 'content-type': 'application/json' },
}

describe('a signed request', () => {
  it.each(callers.map((caller) => [caller.algorithm, caller] as const))(
    'is accepted from a caller whose key is for %s',
    async (_algorithm, caller) => {
      const outcome = await signatureBench().judge(await sign(get, { caller }))
      expect(outcome).toMatchObject({
        outcome: 'verified',
        identity: {
          issuer: 'urn:portcullis:http-signature',
          subject: `owner-${caller.id}`,
          client: caller.id,
          scopes: ['orders:write'],
          method: 'partners',
          amr: ['http-signature'],
        },
        credential: { kind: 'http-signature', id: caller.id, expiresAt: Infinity },
      })
    },
  )

  it('is refused when the key is another of the same algorithm', async () => {
    const other = callers.find(({ id }) => id === 'pss')!
    const forged = await sign(get, { caller: { ...other, algorithm: 'rsa-v1_5-sha256' }, keyid: 'pss' })
    await expectRefused(forged, 'signature_wrong')
  })

  it('may name the algorithm, if it is the one of the key', async () => {
    const params = ['created', 'keyid', 'nonce', 'alg']
    expect((await signatureBench().judge(await sign(get, { params }))).outcome).toBe('verified')
    await expectRefused(await sign(get, { params, values: { alg: 'hmac-sha256' } }), 'signature_algorithm')
  })

  it('cannot be made with a public key taken for a shared secret', async () => {
    const forged = await sign(get, {
      caller: { ...edCaller, algorithm: 'hmac-sha256', secret: edCaller.shown },
    })
    await expectRefused(forged, 'signature_wrong')
  })

  it('holds for what it covers and nothing else', async () => {
    const bench = signatureBench()
    const signed = await sign(post, { fields: ['@method', '@target-uri', 'content-digest', 'content-type'] })
    const changes: readonly Message[] = [
      { ...signed, method: 'PUT' },
      { ...signed, url: `${signed.url}?x` },
      { ...signed, url: 'https://api.example.com//orders' },
      { ...signed, url: 'https://api.example.com/./orders' },
      { ...signed, url: 'https://api.example.com/%6frders' },
      { ...signed, url: 'https://other.example.com/orders' },
      { ...signed, url: 'http://api.example.com/orders' },
      { ...signed, headers: { ...signed.headers, 'content-digest': digestOf('other') } },
      { ...signed, headers: { ...signed.headers, 'content-type': 'text/plain' } },
    ]
    for (const changed of changes) await expectRefused(changed, 'signature_wrong', bench)
    expect((await bench.judge(signed)).outcome).toBe('verified')
  })

  it('is refused once any character of any covered field is another', async () => {
    const signed = await sign(
      { ...get, headers: { 'x-a': 'alpha beta', 'x-b': 'b' } },
      { fields: ['@method', '@target-uri', 'x-a', 'x-b'] },
    )
    const bench = signatureBench()
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('x-a', 'x-b', 'signature-input', 'signature'),
        fc.nat(),
        fc.integer({ min: 0x21, max: 0x7e }),
        async (name, at, code) => {
          const value = signed.headers[name]!
          const index = at % value.length
          const changed = `${value.slice(0, index)}${String.fromCharCode(code)}${value.slice(index + 1)}`
          fc.pre(changed !== value && !sameSignature(name, value, changed))
          const outcome = await bench.judge({ ...signed, headers: { ...signed.headers, [name]: changed } })
          expect(outcome.outcome).toBe('rejected')
        },
      ),
      { numRuns: 300 },
    )
    expect((await bench.judge(signed)).outcome).toBe('verified')
  })

  it('must cover method and target, and whatever else the settings name', async () => {
    await expectRefused(await sign(get, { fields: ['@method', '@path', '@query'] }), 'signature_components')
    const bench = signatureBench({ components: ['@method', '@path', '@query-param;name="id"', 'x-tenant'] })
    const asked = { ...get, headers: { 'x-tenant': 't1' } }
    const fields = ['@method', '@path', 'x-tenant']
    await expectRefused(await sign(asked, { fields }), 'signature_components', bench)
    const whole = await sign(asked, { fields: [...fields, '@query-param;name="id"'] })
    expect((await bench.judge(whole)).outcome).toBe('verified')
  })

  it('must cover the digest of a body, whatever the settings name', async () => {
    const bench = signatureBench({ components: ['@method'] })
    const withBody = { hasBody: true }
    await expectRefused(await sign(post, { fields: ['@method'] }), 'signature_components', bench, withBody)
    const byMember = ['@method', 'content-digest;key="sha-256"']
    await expectRefused(await sign(post, { fields: byMember }), 'signature_components', bench, withBody)
    const outcome = await bench.judge(await sign(post), withBody)
    expect(outcome).toMatchObject({ credential: { contentDigests: [{ algorithm: 'sha-256' }] } })
  })

  it('holds content to a covered digest even where the body is gone', async () => {
    const outcome = await signatureBench().judge(await sign(post), { hasBody: false })
    expect(outcome).toMatchObject({ credential: { contentDigests: [{ algorithm: 'sha-256' }] } })
  })

  it('is refused when nothing of its digest can be checked', async () => {
    const weak = { ...post, headers: { 'content-digest': 'md5=:AAAA:' } }
    await expectRefused(await sign(weak), 'signature_digest', signatureBench(), { hasBody: true })
  })
})

describe('the time of a signature', () => {
  it.each([
    ['made just now', 0, 'verified'],
    ['by a clock a little ahead', 10, 'verified'],
    ['of the future', 11, 'signature_not_yet_valid'],
    ['at the end of its age', -60, 'verified'],
    ['too old', -61, 'signature_stale'],
  ])('counts: %s', async (_what, offset, expected) => {
    const outcome = await signatureBench().judge(
      await sign(get, { values: { created: secondsFromNoon(offset) } }),
    )
    expect(outcome.outcome === 'rejected' ? outcome.reason : outcome.outcome).toBe(expected)
  })

  it('ends with `expires`', async () => {
    const bench = signatureBench()
    const signed = await sign(get, {
      params: ['created', 'expires', 'keyid', 'nonce'],
      values: { expires: secondsFromNoon(5) },
    })
    bench.now += 5000
    await expectRefused(signed, 'signature_expired', bench)
    bench.now -= 1
    expect((await bench.judge(signed)).outcome).toBe('verified')
  })

  it('is told only of one that held', async () => {
    const old = await sign(get, { values: { created: secondsFromNoon(-600) } })
    await expectRefused(old, 'signature_stale')
    await expectRefused({ ...old, method: 'PUT' }, 'signature_wrong')
  })

  it('must be there, and in whole seconds', async () => {
    await expectRefused(await sign(get, { params: ['keyid', 'nonce'] }), 'signature_malformed')
    const signed = await sign(get)
    for (const other of ['created="1"', 'created=1.5', 'created=@1', 'created=-1', 'created']) {
      const input = signed.headers['signature-input']!.replace(/created=\d+/, other)
      await expectRefused(withInput(signed, input), 'signature_malformed')
    }
  })
})

describe('the nonce', () => {
  it('is good once for each key, whatever the request and however the key is called', async () => {
    const first = callers[0]!
    const keys = [first.id, 'again'].map((id) => ({
      id,
      algorithm: first.algorithm,
      key: new Secret(first.shown),
      owner: 'one',
      scopes: [],
      roles: [],
    }))
    const bench = signatureBench({ keys })
    const values = { nonce: 'same' }
    const signed = await sign(get, { caller: first, values })
    expect((await bench.judge(signed)).outcome).toBe('verified')
    await expectRefused(signed, 'signature_replayed', bench)
    await expectRefused(await sign(post, { caller: first, values }), 'signature_replayed', bench)
    await expectRefused(
      await sign(get, { caller: first, keyid: 'again', values }),
      'signature_replayed',
      bench,
    )
  })

  it('of another key is another', async () => {
    const bench = signatureBench()
    for (const caller of callers.slice(1)) {
      expect((await bench.judge(await sign(get, { caller, values: { nonce: 'same' } }))).outcome).toBe(
        'verified',
      )
    }
  })

  it('must be there, and not be endless', async () => {
    await expectRefused(await sign(get, { params: ['created', 'keyid'] }), 'signature_nonce')
    await expectRefused(await sign(get, { values: { nonce: '' } }), 'signature_nonce')
    await expectRefused(await sign(get, { values: { nonce: 'n'.repeat(257) } }), 'signature_nonce')
  })

  it('is not used up by who cannot sign', async () => {
    const bench = signatureBench()
    const signed = await sign(get)
    await expectRefused({ ...signed, method: 'DELETE' }, 'signature_wrong', bench)
    expect((await bench.judge(signed)).outcome).toBe('verified')
  })

  it('is remembered until no such signature could be accepted any more', async () => {
    const untils: number[] = []
    const once = {
      remember(_key: string, until: number): 'new' {
        untils.push(until)
        return 'new'
      },
    }
    const bench = signatureBench({}, { once })
    await bench.judge(await sign(get, { values: { created: secondsFromNoon(8) } }))
    expect(untils[0]! - bench.now).toBeGreaterThan(68_000)
  })

  it('that cannot be remembered is a refusal', async () => {
    const away = (): never => {
      throw new Error('full')
    }
    await expectRefused(
      await sign(get),
      'replay_unavailable',
      signatureBench({}, { once: { remember: away } }),
    )
    const later = signatureBench({}, { once: { remember: () => Promise.reject(new Error('away')) } })
    await expectRefused(await sign(get), 'replay_unavailable', later)
  })
})

describe('several signatures', () => {
  it('may be there beside ours, and stay unread', async () => {
    const foreign = await sign(get, { keyid: 'proxy', name: 'proxy' })
    const signed = await sign(foreign)
    expect(signed.headers['signature-input']).toContain('proxy=')
    expect((await signatureBench().judge(signed)).outcome).toBe('verified')
  })

  it('of ours leave open who speaks', async () => {
    const both = await sign(await sign(get, { name: 'one' }), { name: 'two', caller: callers[0]! })
    await expectRefused(both, 'signature_several')
  })

  it('are told apart by their tag where one is asked for', async () => {
    const bench = signatureBench({ tag: 'orders' })
    const params = ['created', 'keyid', 'nonce', 'tag']
    const other = await sign(get, { name: 'one', params, values: { tag: 'other' } })
    await expectRefused(other, 'signature_key_unknown', bench)
    const both = await sign(other, { name: 'two', params, values: { tag: 'orders' } })
    expect((await bench.judge(both)).outcome).toBe('verified')
  })

  it('are read over several lines, but never twice under one label', async () => {
    const signed = await sign(get)
    const { 'signature-input': input = '', signature = '' } = signed.headers
    const lines = (inputs: string[], signatures: string[]): { headers: Record<string, string[]> } => ({
      headers: { 'signature-input': inputs, signature: signatures },
    })
    const bench = signatureBench()
    const twice = await bench.judge(signed, lines([input, input], [signature, signature]))
    expect(twice).toMatchObject({ reason: 'signature_malformed' })
    const crossed = await bench.judge(signed, lines([input], [signature, 'sig=:AAAA:']))
    expect(crossed).toMatchObject({ reason: 'signature_malformed' })
    const beside = await bench.judge(signed, lines(['p=();keyid="p"', input], ['p=:AA==:', signature]))
    expect(beside.outcome).toBe('verified')
  })
})

describe('what is no signature', () => {
  it.each([
    ['no label', '("@method");created=1;keyid="ed"'],
    ['no list', 'sig="@method"'],
    ['a list that is not closed', 'sig=("@method";created=1;keyid="ed"'],
    ['a component that no request has', 'sig=("@status");created=1767268800;keyid="ed";nonce="n"'],
    [
      'a component of the request to which an answer belongs',
      'sig=("@method";req);created=1767268800;keyid="ed"',
    ],
    ['a parameter that is not understood', 'sig=("@method");created=1767268800;keyid="ed";nonce="n";x=1'],
    ['a parameter of the object prototype', 'sig=();created=1767268800;keyid="ed";constructor="x"'],
    ['an end before its beginning', 'sig=("@method");created=1767268800;expires=1767268800;keyid="ed"'],
    ['a parameter twice', 'sig=("@method");created=1;created=1767268800;keyid="ed";nonce="n"'],
  ])('is refused: %s', async (_what, input) => {
    await expectRefused(withInput(await sign(get), input), 'signature_malformed')
  })

  it('is one whose bytes are missing, or are no bytes', async () => {
    const signed = await sign(get)
    for (const signature of [
      '',
      'other=:AAAA:',
      'sig="text"',
      'sig=(:AAAA:)',
      `${signed.headers['signature']!};x`,
    ]) {
      await expectRefused({ ...signed, headers: { ...signed.headers, signature } }, 'signature_malformed')
    }
  })

  it('is one of somebody else', async () => {
    await expectRefused(await sign(get, { keyid: 'nobody' }), 'signature_key_unknown')
    await expectRefused(await sign(get, { params: ['created', 'nonce'] }), 'signature_key_unknown')
  })

  it('is one of a key or owner that was revoked', async () => {
    const revocations = {
      isRevoked: (facts: { issuer: string; subject: string; client?: string; issuedAt?: number }): boolean =>
        facts.client === 'ed' && facts.subject === 'owner-ed' && facts.issuedAt === undefined,
    }
    await expectRefused(await sign(get), 'signature_revoked', signatureBench({}, { revocations }))
  })
})

/** Whitespace and the filling bits of base64 may change without a change of meaning. */
function sameSignature(name: string, value: string, changed: string): boolean {
  const bytes = (text: string): string | undefined => {
    const inner = /^sig=:([A-Za-z0-9+/]*={0,2}):$/.exec(text)?.[1]
    return inner === undefined ? undefined : Buffer.from(inner, 'base64').toString('hex')
  }
  return name === 'signature' && bytes(value) === bytes(changed)
}

function withInput(message: Message, input: string): Message {
  return { ...message, headers: { ...message.headers, 'signature-input': input } }
}

async function expectRefused(
  message: Message,
  reason: string,
  bench = signatureBench(),
  parts: { readonly hasBody?: boolean } = {},
): Promise<void> {
  expect(await bench.judge(message, parts)).toMatchObject({ outcome: 'rejected', reason })
}
