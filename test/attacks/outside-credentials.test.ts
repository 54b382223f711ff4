/** Credentials of every kind, right and wrong, at a gateway with many issuers and keys: what must be refused never reaches the backend, what must pass arrives with the right identity. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encode } from '../harness/issuer.ts'
import {
  bearer,
  corpIssuer,
  importedDigestOf,
  request,
  startOutside,
  type Outside,
} from '../support/outside.ts'

let outside: Outside

beforeAll(async () => {
  outside = await startOutside('lockout: off')
}, 60_000)

afterAll(() => outside.stop())

type Case = readonly [what: string, bytes: (world: Outside) => string]
type Refused = readonly [...Case, status: number, code: string]
type Passed = readonly [...Case, subject: string | undefined]

const now = (): number => Math.floor(Date.now() / 1000)
const key = (value: string): string => `X-Api-Key: ${value}`
const keycloak = { iss: 'https://sso.example/realms/main', azp: 'app' }
const cognito = {
  iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI',
  aud: undefined,
  client_id: 'client-1',
}
const tenant = '11111111-2222-3333-4444-555555555555'
const entra = { aud: 'api://items', tid: tenant, scp: 'read' }

const invalid = [401, 'credential_invalid'] as const
const missing = [401, 'credential_missing'] as const
const ambiguous = [400, 'credential_ambiguous'] as const

/** Where a credential stands, how often, and in what spelling. */
const places: readonly Refused[] = [
  ['no credential', () => request('/token/x'), ...missing],
  ['an empty Authorization', () => request('/token/x', ['Authorization: ']), ...invalid],
  ['a scheme that nothing reads', () => request('/token/x', ['Authorization: Basic YTpi']), ...invalid],
  ['a scheme alone', () => request('/token/x', ['Authorization: Bearer']), ...invalid],
  ['more behind a good token', (o) => request('/token/x', [`${bearer(o.token())} x`]), ...invalid],
  ['two schemes in one field', (o) => request('/token/x', [`${bearer(o.token())}, Basic YTpi`]), ...invalid],
  ['a token twice', (o) => request('/token/x', [bearer(o.token()), bearer(o.token())]), ...ambiguous],
  ['two schemes', (o) => request('/token/x', ['Authorization: Basic x', bearer(o.token())]), ...ambiguous],
  ['a token and a key', (o) => request('/any/x', [bearer(o.token()), key(o.keys.partner)]), ...ambiguous],
  ['a token and a bad key', (o) => request('/any/x', [bearer(o.token()), key('bad')]), ...ambiguous],
  ['an empty key', () => request('/keys/x', [key('')]), ...invalid],
  ['an empty key in the query', () => request('/keys/x?api_key='), ...invalid],
  ['the parameter alone', () => request('/keys/x?api_key'), ...invalid],
  ['an empty cookie', () => request('/keys/x', ['Cookie: apikey=']), ...invalid],
  ['a broken escape', () => request('/keys/x?api_key=%zz'), ...invalid],
  [
    'a key in header and query',
    (o) => request(`/keys/x?api_key=${o.keys.partner}`, [key(o.keys.partner)]),
    ...ambiguous,
  ],
  [
    'a key in header and cookie',
    (o) => request('/keys/x', [key(o.keys.partner), `Cookie: apikey=${o.keys.partner}`]),
    ...ambiguous,
  ],
  [
    'the parameter twice, once escaped',
    (o) => request(`/keys/x?api_key=${o.keys.partner}&api%5fkey=${o.keys.partner}`),
    ...ambiguous,
  ],
  [
    'the cookie twice',
    (o) => request('/keys/x', [`Cookie: apikey=${o.keys.partner}; apikey=${o.keys.partner}`]),
    ...ambiguous,
  ],
  [
    'the field twice',
    (o) => request('/keys/x', [key(o.keys.partner), `X-API-KEY: ${o.keys.partner}`]),
    ...ambiguous,
  ],
  [
    'two keys in one field',
    (o) => request('/keys/x', [key(`${o.keys.partner},${o.keys.partner}`)]),
    ...invalid,
  ],
  ['a name with underscores', (o) => request('/keys/x', [`X_Api_Key: ${o.keys.partner}`]), ...missing],
  ['a name in capitals in the query', (o) => request(`/keys/x?API_KEY=${o.keys.partner}`), ...missing],
  ['a cookie in capitals', (o) => request('/keys/x', [`Cookie: APIKEY=${o.keys.partner}`]), ...missing],
  [
    'a key that Connection takes away',
    (o) => request('/keys/x', [key(o.keys.partner), 'Connection: x-api-key']),
    ...missing,
  ],
  ['one of two members', (o) => request('/all/x', [key(o.keys.partner)]), ...missing],
  ['a bad second member', (o) => request('/all/x', [key(o.keys.partner), bearer('a.b.c')]), ...invalid],
  ['a bad optional token', () => request('/optional/x', [bearer('x')]), ...invalid],
  [
    'a strange scheme where a token is optional',
    () => request('/optional/x', ['Authorization: Basic x']),
    ...invalid,
  ],
]

const keys: readonly Refused[] = [
  ['an unknown key', () => request('/keys/x', [key('nope')]), ...invalid],
  ['a wrong checksum', (o) => request('/keys/x', [key(`${o.keys.partner.slice(0, -1)}~`)]), ...invalid],
  ['the id alone', (o) => request('/keys/x', [key(o.keys.partner.split('_')[1]!)]), ...invalid],
  ["another authenticator's prefix", (o) => request('/keys/x', [key(o.keys.peppered)]), ...invalid],
  ['a key without the pepper', (o) => request('/peppered/x', [`X-Pep-Key: ${o.keys.partner}`]), ...invalid],
  [
    'a key limited to another authenticator',
    (o) => request('/mixed/x', [bearer(o.keys.partner)]),
    ...invalid,
  ],
  ['five kilobytes', () => request('/keys/x', [key('a'.repeat(5000))]), ...invalid],
]

const forged = (header: object, payload: object): string =>
  `${encode({ ...header })}.${encode({ ...payload })}.AAAA`
const claims = (): object => ({
  iss: corpIssuer,
  aud: 'https://api.example',
  sub: 'root',
  iat: now(),
  exp: now() + 60,
})

/** One token's claims under another's signature. */
function swapPayload(token: string, other: string): string {
  const [header, , signature] = token.split('.')
  return [header, other.split('.')[1], signature].join('.')
}

const tokens: readonly (readonly [what: string, token: (world: Outside) => string, code?: string])[] = [
  ['expired', (o) => o.token({ iat: now() - 500, exp: now() - 60 }), 'credential_expired'],
  ['not yet valid', (o) => o.token({ nbf: now() + 100 })],
  ['issued in the future', (o) => o.token({ iat: now() + 100 })],
  ['of another issuer', (o) => o.token({ iss: `${corpIssuer}/` })],
  ['of a list of issuers', (o) => o.token({ iss: [corpIssuer] })],
  ['without an issuer', (o) => o.token({ iss: undefined })],
  ['for another audience', (o) => o.token({ aud: 'https://api.example/' })],
  ['for a nested audience', (o) => o.token({ aud: [['https://api.example']] })],
  ['without an end', (o) => o.token({ exp: undefined })],
  ['with a textual end', (o) => o.token({ exp: String(now() + 60) })],
  ['living too long', (o) => o.token({ exp: now() + 3700 })],
  ['hiding its lifetime', (o) => o.token({ iat: undefined })],
  ['without a subject', (o) => o.token({ sub: undefined })],
  ['with line breaks in its subject', (o) => o.token({ sub: 'a\r\nX-Auth-Roles: admin' })],
  ['of half a character', (o) => o.token({ sub: 'a\uD800' })],
  ['typed as a proof', (o) => o.token({}, { typ: 'dpop+jwt' })],
  ["typed as the gateway's own", (o) => o.token({}, { typ: 'portcullis+jwt' })],
  ['with a critical extension', (o) => o.token({}, { crit: ['x'], x: 1 })],
  ['of an event', (o) => o.token({ events: {} })],
  ['that is an ID token by token_use', (o) => o.token({ token_use: 'id' })],
  ['that is an ID token by nonce', (o) => o.token({ nonce: 'x' }, { typ: 'JWT' })],
  ['bound to a key', (o) => o.token({ cnf: { jkt: 'x' } })],
  ['bound in an unknown way', (o) => o.token({ cnf: { other: 'x' } })],
  ['signed by a key nobody has', (o) => o.token({}, { kid: 'nobody' })],
  ["signed by another provider's key", (o) => o.discovered.token({ iss: corpIssuer })],
  ['unsigned', () => forged({ alg: 'none' }, claims())],
  ['signed with the shared secret of another issuer', (o) => o.shared({ ...claims() })],
  [
    'signed with another secret',
    (o) => o.shared({ ...claims(), iss: 'https://shared.example', aud: 'shared' }, 'x'.repeat(40)),
  ],
  ['of four parts', (o) => `${o.token()}.x`],
  ['of dots', () => '..'],
  ['padded', (o) => `${o.token()}=`],
  ['changed', (o) => swapPayload(o.token(), o.token({ sub: 'root' }))],
  [
    'of another Cognito client',
    (o) => o.profiles.token({ ...cognito, client_id: 'client-2', token_use: 'access' }),
  ],
  ['that is a Cognito ID token', (o) => o.profiles.token({ ...cognito, aud: 'client-1', token_use: 'id' })],
  ['that is a Keycloak ID token', (o) => o.profiles.token({ ...keycloak, typ: 'ID' }, { typ: 'JWT' })],
  ['of another realm', (o) => o.profiles.token({ ...keycloak, iss: 'https://sso.example/realms/other' })],
  [
    'of another tenant',
    (o) => o.profiles.token({ ...entra, iss: `https://sts.windows.net/${tenant.replace('5', '6')}/` }),
  ],
  [
    'of a tenant that it contradicts',
    (o) =>
      o.profiles.token({
        ...entra,
        tid: tenant.replace('1', '9'),
        iss: `https://sts.windows.net/${tenant}/`,
      }),
  ],
]

const cookie = (o: Outside, ...fields: string[]): string =>
  request('/keys/x', [`Cookie: apikey=${o.keys.partner}`, ...fields], 'POST', 'hi')

const crossSite: readonly Refused[] = (
  [
    ['Origin: https://evil.example'],
    ['Origin: null'],
    ['Origin: http://api.example.com'],
    ['Origin: https://api.example.com.evil.example'],
    ['Origin: https://api.example.com', 'Origin: https://evil.example'],
    ['Sec-Fetch-Site: cross-site'],
    ['Sec-Fetch-Site: same-site'],
  ] as const
).map((fields) => [`a cookie from ${fields.join(' and ')}`, (o) => cookie(o, ...fields), 403, 'forbidden'])

describe('what must be refused', () => {
  it.each([...places, ...keys, ...crossSite])('%s', async (_what, bytes, status, code) => {
    const answer = await outside.ask(bytes(outside))
    expect([answer.status, answer.json()['code']]).toEqual([status, code])
    expect(answer.field('content-type')).toBe('application/problem+json')
    expect(answer.field('cache-control')).toBe('no-store')
    expect(answer.json()['requestId']).toBe(answer.field('x-request-id'))
    expect(outside.backend.bytes()).toBe('')
  })

  it.each(tokens.map(([what, token, code = 'credential_invalid']) => [what, token, code] as const))(
    'a token %s',
    async (_what, token, code) => {
      const answer = await outside.ask(request('/any/x', [bearer(token(outside))]))
      expect([answer.status, answer.json()['code']]).toEqual([401, code])
      expect(answer.values('www-authenticate')[0]).toBe('Bearer realm="portcullis", error="invalid_token"')
      expect(outside.backend.bytes()).toBe('')
    },
  )

  it('a token that one authenticator took, at another that demands more', async () => {
    const token = outside.token({ aud: ['strict', 'https://api.example'] })
    expect((await outside.ask(request('/token/x', [bearer(token)]))).status).toBe(200)
    expect((await outside.ask(request('/strict/x', [bearer(token)]))).status).toBe(401)
    expect(outside.backend.bytes()).toBe('')
  })

  it('a key from an address that it does not allow, though it was good from another', async () => {
    const { key: limited } = await outside.gateway.gateway.keys.create(
      { owner: 'o', authenticator: 'partner-keys', allowedIps: ['127.0.0.1'] },
      'test',
    )
    expect((await outside.ask(request('/keys/x', [key(limited)]))).status).toBe(200)
    expect((await outside.ask(request('/keys/x', [key(limited)]), { from: '127.0.0.2' })).status).toBe(403)
    expect(outside.backend.bytes()).toBe('')
  })
})

const passed: readonly Passed[] = [
  ['a token', (o) => request('/token/x', [bearer(o.token())]), 'alice'],
  ['a scheme in any case', (o) => request('/token/x', [`AUTHORIZATION: bEaReR ${o.token()}`]), 'alice'],
  [
    'a discovered issuer',
    (o) => request('/any/x', [bearer(o.discovered.token({ aud: ['x', 'other'] }))]),
    'alice',
  ],
  [
    'a shared secret',
    (o) =>
      request('/any/x', [bearer(o.shared({ ...claims(), iss: 'https://shared.example', aud: 'shared' }))]),
    'root',
  ],
  [
    'Keycloak',
    (o) => request('/any/x', [bearer(o.profiles.token({ ...keycloak, typ: 'Bearer' }, { typ: 'JWT' }))]),
    'alice',
  ],
  [
    'Cognito',
    (o) =>
      request('/any/x', [bearer(o.profiles.token({ ...cognito, token_use: 'access' }, { typ: undefined }))]),
    'alice',
  ],
  [
    'Entra, first version',
    (o) =>
      request('/any/x', [
        bearer(o.profiles.token({ ...entra, iss: `https://sts.windows.net/${tenant}/` }, { typ: 'JWT' })),
      ]),
    'alice',
  ],
  [
    'Entra, second version',
    (o) =>
      request('/any/x', [
        bearer(
          o.profiles.token(
            { ...entra, iss: `https://login.microsoftonline.com/${tenant}/v2.0` },
            { typ: 'JWT' },
          ),
        ),
      ]),
    'alice',
  ],
  [
    'a token within the clock skew',
    (o) => request('/any/x', [bearer(o.token({ iat: now() - 100, exp: now() - 2 }))]),
    'alice',
  ],
  [
    'a subject of many bytes',
    (o) => request('/any/x', [bearer(o.token({ sub: 'ü% 😀' }))]),
    '%C3%BC%25%20%F0%9F%98%80',
  ],
  [
    'the stricter of two',
    (o) => request('/strict/x', [bearer(o.token({ aud: ['https://api.example', 'strict'], sid: '1' }))]),
    'alice',
  ],
  ['a key', (o) => request('/keys/x', [key(o.keys.partner)]), 'acme'],
  ['a key in the query', (o) => request(`/keys/x?a=1&api_key=${o.keys.partner}&b=%20+%41`), 'acme'],
  ['a key in a cookie', (o) => request('/keys/x', [`Cookie: a=1; apikey=${o.keys.partner}; b=2`]), 'acme'],
  ['a cookie from our own page', (o) => cookie(o, 'Origin: https://api.example.com'), 'acme'],
  ['a cookie from a machine', (o) => cookie(o), 'acme'],
  [
    'a key from a foreign page',
    (o) => request('/keys/x', [key(o.keys.partner), 'Origin: https://evil.example'], 'POST', 'hi'),
    'acme',
  ],
  ['a peppered key', (o) => request('/peppered/x', [`Authorization: apikey ${o.keys.peppered}`]), 'pepper'],
  ['an imported key', (o) => request('/keys/x', [key(o.keys.imported)]), 'old'],
  [
    'an imported key at the peppered authenticator',
    (o) => request('/peppered/x', [`X-Pep-Key: ${o.keys.imported}`]),
    'old',
  ],
  ['an imported digest', () => request('/keys/x', [key(importedDigestOf)]), 'older'],
  ['an imported digest beside tokens', () => request('/mixed/x', [bearer(importedDigestOf)]), 'older'],
  ['both members', (o) => request('/all/x', [bearer(o.token()), key(o.keys.partner)]), 'acme'],
  ['an optional token', (o) => request('/optional/x', [bearer(o.token())]), 'alice'],
  ['nobody, where a token is optional', () => request('/optional/x'), undefined],
  [
    'nobody, with credentials that the route does not read',
    (o) => request('/open/x', [bearer(o.token()), key('x'), 'DPoP: x']),
    undefined,
  ],
]

describe('what must pass', () => {
  it.each(passed)('%s', async (_what, bytes, subject) => {
    const answer = await outside.ask(bytes(outside))
    expect(answer.status, answer.text()).toBe(200)
    expect(outside.backend.messages).toHaveLength(1)
    const [seen] = outside.backend.messages
    expect(seen!.values('x-auth-subject')).toEqual(subject === undefined ? [] : [subject])
    expect(seen!.values('x-portcullis-assertion')).toHaveLength(subject === undefined ? 0 : 1)
    expect(seen!.head).not.toMatch(/^(?:authorization|x.api.key|x.pep.key|dpop):|ptc_|pep_|apikey/im)
  })

  it('takes the key out of the query and leaves every other byte', async () => {
    const ask = async (query: string): Promise<string | undefined> => {
      await outside.ask(request(`/open/x?${query}`))
      return outside.backend.messages[0]?.line
    }
    expect(await ask('a=1&api_key=k&b=%20+%41&&c')).toBe('GET /open/x?a=1&b=%20+%41&&c HTTP/1.1')
    expect(await ask('api%5Fkey=k&api_key=k')).toBe('GET /open/x HTTP/1.1')
    expect(await ask('x%61pi_key=1&a=%zz%00')).toBe('GET /open/x?x%61pi_key=1&a=%zz%00 HTTP/1.1')
  })

  it('hands on the accepted credential where the route says so, and no other', async () => {
    const token = outside.token()
    await outside.ask(request('/keep/x', [bearer(token), 'X-Pep-Key: other']))
    expect(outside.backend.messages[0]!.values('authorization')).toEqual([`Bearer ${token}`])
    expect(outside.backend.messages[0]!.values('x-pep-key')).toEqual([])
    await outside.ask(
      request('/open-keep/x', ['Authorization: Bearer theirs', 'X-Api-Key: k', 'Cookie: apikey=k; a=1']),
    )
    expect(outside.backend.messages[0]!.values('authorization')).toEqual(['Bearer theirs'])
    expect(outside.backend.messages[0]!.values('x-api-key')).toEqual([])
    expect(outside.backend.messages[0]!.values('cookie')).toEqual(['a=1'])
  })
})
