import { describe, expect, it } from 'vitest'
import {
  authenticate,
  compileChain,
  type Authentication,
  type Chain,
  type GuessGuard,
} from './authenticate.ts'
import { bearerWay, placeWay } from './challenge.ts'
import type { Authenticator, Presented } from './authenticators/authenticator.ts'
import type { CredentialPlace } from './identity.ts'
import { rejected, type Outcome } from './outcome.ts'
import type { GatewayRequest } from './request.ts'
import { gatewayRequest } from '../../test/support/gateway-request.ts'

const bearer: CredentialPlace = { kind: 'header', name: 'authorization', scheme: 'Bearer' }
const keyHeader: CredentialPlace = { kind: 'header', name: 'x-api-key' }
const open: GuessGuard = { admit: () => 0, failed: () => undefined }

/** An authenticator that takes values beginning with its mark, and accepts those that end in `ok`. */
function marked(
  name: string,
  mark: string,
  places: readonly CredentialPlace[],
  more: Partial<Authenticator> = {},
): Authenticator {
  return {
    name,
    type: name.startsWith('key') ? 'api-key' : 'jwt',
    places,
    challenges: places.map((place) => (name.startsWith('key') ? placeWay(place) : bearerWay())),
    takes: ({ value }) => (value.startsWith(mark) ? 'yes' : 'no'),
    recall: () => undefined,
    verify: (presented) => judge(name, presented),
    ...more,
  }
}

function judge(name: string, { value, place }: Presented): Outcome {
  if (!value.endsWith('ok')) return rejected('token_signature')
  return {
    outcome: 'verified',
    identity: {
      issuer: name,
      subject: value,
      scopes: name === 'key' ? ['s'] : [],
      roles: [],
      claims: {},
      method: name,
      amr: [name],
    },
    credential: { kind: name, expiresAt: Infinity, place },
  }
}

function request(lines: readonly [string, string][], query = ''): GatewayRequest {
  const headers: Record<string, string[]> = {}
  for (const [name, value] of lines) (headers[name.toLowerCase()] ??= []).push(value)
  return gatewayRequest({ query, host: 'h', scheme: 'http', clientIp: '127.0.0.1', headers })
}

const token = marked('token', 'a.b.', [bearer])
const key = marked('key', 'ptc_', [keyHeader])
const both = compileChain('any', [token, key])

async function tried(
  chain: Chain,
  lines: [string, string][],
  query = '',
  guard = open,
): Promise<Authentication> {
  return authenticate(chain, request(lines, query), guard)
}

async function code(chain: Chain, lines: [string, string][], query = ''): Promise<string> {
  const result = await tried(chain, lines, query)
  return result.outcome === 'refused' ? result.refusal.code : result.outcome
}

describe('finding the credential', () => {
  it('takes the one that is there', async () => {
    expect(await code(both, [['Authorization', 'Bearer a.b.ok']])).toBe('authenticated')
    expect(await code(both, [['X-Api-Key', 'ptc_ok']])).toBe('authenticated')
  })

  it('says missing when there is none, and lets anonymous pass where it is optional', async () => {
    expect(await code(both, [])).toBe('credential_missing')
    expect(await code(compileChain('optional', [token]), [])).toBe('anonymous')
  })

  it.each<[string, [string, string][]]>([
    ['an empty value', [['X-Api-Key', '']]],
    ['a scheme alone', [['Authorization', 'Bearer']]],
    ['a scheme and a space', [['Authorization', 'Bearer ']]],
    ['a scheme that nothing reads', [['Authorization', 'Basic YTpi']]],
    ['a value that nothing takes', [['Authorization', 'Bearer opaque']]],
    ['two values in one line', [['Authorization', 'Bearer a.b.ok, Bearer a.b.ok']]],
  ])('refuses %s instead of passing it over', async (_what, lines) => {
    expect(await code(both, lines)).toBe('credential_invalid')
    expect(await code(compileChain('optional', [token, key]), lines)).toBe('credential_invalid')
  })

  it.each<[string, [string, string][]]>([
    [
      'a token and a key',
      [
        ['Authorization', 'Bearer a.b.ok'],
        ['X-Api-Key', 'ptc_ok'],
      ],
    ],
    [
      'a token and a bad key',
      [
        ['Authorization', 'Bearer a.b.ok'],
        ['X-Api-Key', ''],
      ],
    ],
    [
      'two lines of one field',
      [
        ['X-Api-Key', 'ptc_ok'],
        ['X-Api-Key', 'ptc_ok'],
      ],
    ],
    [
      'two Authorization lines',
      [
        ['Authorization', 'Bearer a.b.ok'],
        ['authorization', 'Bearer a.b.ok'],
      ],
    ],
  ])('refuses %s as ambiguous', async (_what, lines) => {
    expect(await code(both, lines)).toBe('credential_ambiguous')
  })

  it('reads a query parameter only where it is configured, and once', async () => {
    const chain = compileChain('any', [marked('key', 'ptc_', [{ kind: 'query', name: 'api_key' }])])
    expect(await code(chain, [], 'x=1&api%5Fkey=ptc_ok')).toBe('authenticated')
    expect(await code(chain, [], 'api_key=ptc_ok&api_key=ptc_ok')).toBe('credential_ambiguous')
    expect(await code(chain, [], 'api_key=')).toBe('credential_invalid')
    expect(await code(both, [], 'api_key=ptc_ok')).toBe('credential_missing')
  })

  it('reads a cookie once', async () => {
    const chain = compileChain('any', [marked('key', 'ptc_', [{ kind: 'cookie', name: 'sid' }])])
    expect(await code(chain, [['Cookie', 'a=b; sid=ptc_ok']])).toBe('authenticated')
    expect(await code(chain, [['Cookie', 'sid=ptc_ok; sid=ptc_ok']])).toBe('credential_ambiguous')
    expect(
      await code(chain, [
        ['Cookie', 'sid=ptc_ok'],
        ['Cookie', 'sid=x'],
      ]),
    ).toBe('credential_ambiguous')
  })

  it('matches schemes without case', async () => {
    expect(await code(both, [['Authorization', 'bEaReR a.b.ok']])).toBe('authenticated')
  })

  it('ignores a place that the route does not read', async () => {
    expect(
      await code(compileChain('any', [token]), [
        ['Authorization', 'Bearer a.b.ok'],
        ['X-Api-Key', 'x'],
      ]),
    ).toBe('authenticated')
  })
})

describe('choosing who judges', () => {
  it('never falls through from a bad credential to another authenticator', async () => {
    let asked = 0
    const second = marked('second', 'a.b.', [bearer], {
      verify: (presented) => ((asked += 1), judge('second', presented)),
    })
    expect(await code(compileChain('any', [token, second]), [['Authorization', 'Bearer a.b.bad']])).toBe(
      'credential_invalid',
    )
    expect(asked).toBe(0)
  })

  it('prefers the authenticator whose audience fits', async () => {
    const fits = marked('fits', 'a.b.', [bearer], { fitsAudience: () => true })
    const result = await tried(compileChain('any', [token, fits]), [['Authorization', 'Bearer a.b.ok']])
    expect(result).toMatchObject({ identity: { method: 'fits' } })
  })

  it('asks one that takes any form only when nobody is sure', async () => {
    const anything = marked('key-any', '', [bearer], { takes: () => 'maybe' })
    const chain = compileChain('any', [anything, token])
    expect(await tried(chain, [['Authorization', 'Bearer a.b.ok']])).toMatchObject({
      identity: { method: 'token' },
    })
    expect(await tried(chain, [['Authorization', 'Bearer legacy-ok']])).toMatchObject({
      identity: { method: 'key-any' },
    })
  })
})

describe('all of several', () => {
  const chain = compileChain('all', [token, key])

  it('needs each, takes the subject of the first and the entitlements of the first that has some', async () => {
    const result = await tried(chain, [
      ['Authorization', 'Bearer a.b.ok'],
      ['X-Api-Key', 'ptc_ok'],
    ])
    expect(result).toMatchObject({
      identity: { subject: 'a.b.ok', scopes: ['s'], method: 'token,key', amr: ['token', 'key'] },
    })
  })

  it('gives one identity for the same known credentials, and another beside another credential', async () => {
    const known = (name: string, mark: string, place: CredentialPlace): Authenticator => {
      const answers = new Map<string, Outcome>()
      return marked(name, mark, [place], {
        recall(presented) {
          const answer = answers.get(presented.value) ?? judge(name, presented)
          answers.set(presented.value, answer)
          return answer
        },
      })
    }
    const remembering = compileChain('all', [known('token', 'a.b.', bearer), known('key', 'ptc_', keyHeader)])
    const proven = (key: string): Authentication => {
      const answer = authenticate(
        remembering,
        request([
          ['Authorization', 'Bearer a.b.ok'],
          ['X-Api-Key', key],
        ]),
        open,
      )
      // Nothing is waited for where everything is known.
      expect(answer).not.toBeInstanceOf(Promise)
      return answer as Authentication
    }
    const first = proven('ptc_ok')
    const other = proven('ptc_other-ok')
    const again = proven('ptc_ok')
    if (first.outcome !== 'authenticated' || again.outcome !== 'authenticated') throw new Error('refused')
    expect(again.identity).toEqual(first.identity)
    expect(proven('ptc_ok')).toMatchObject({ outcome: 'authenticated' })
    const repeated = proven('ptc_ok')
    expect(repeated.outcome === 'authenticated' && repeated.identity).toBe(again.identity)
    expect(other.outcome === 'authenticated' && other.identity).not.toBe(first.identity)
  })

  it('refuses when one is missing or bad', async () => {
    expect(await code(chain, [['Authorization', 'Bearer a.b.ok']])).toBe('credential_missing')
    expect(
      await code(chain, [
        ['Authorization', 'Bearer a.b.ok'],
        ['X-Api-Key', 'ptc_bad'],
      ]),
    ).toBe('credential_invalid')
  })
})

describe('guessing', () => {
  it('is refused before anything is verified, while a credential known from memory passes', async () => {
    const locked: GuessGuard = { admit: () => 42, failed: () => undefined }
    let verified = 0
    const known = marked('token', 'a.b.', [bearer], {
      recall: (presented) => (presented.value === 'a.b.known-ok' ? judge('token', presented) : undefined),
      verify: (presented) => ((verified += 1), judge('token', presented)),
    })
    const chain = compileChain('any', [known])
    const stranger = await tried(chain, [['Authorization', 'Bearer a.b.ok']], '', locked)
    expect(stranger).toMatchObject({ refusal: { code: 'locked_out', status: 429, retryAfter: 42 } })
    expect((await tried(chain, [['Authorization', 'Bearer a.b.known-ok']], '', locked)).outcome).toBe(
      'authenticated',
    )
    expect(verified).toBe(0)
  })

  it('counts failed signatures, not everything that is refused', async () => {
    const failed: string[] = []
    const counting: GuessGuard = {
      admit: () => 0,
      failed: (address, value) => void failed.push(`${address} ${value}`),
    }
    await tried(both, [['Authorization', 'Bearer a.b.bad']], '', counting)
    const expired = marked('token', 'a.b.', [bearer], { verify: () => rejected('token_expired') })
    await tried(compileChain('any', [expired]), [['Authorization', 'Bearer a.b.old']], '', counting)
    expect(failed).toEqual(['127.0.0.1 a.b.bad'])
  })
})

describe('challenges', () => {
  async function challenges(lines: [string, string][]): Promise<readonly string[] | undefined> {
    const result = await tried(both, lines)
    return result.outcome === 'refused' ? result.refusal.challenges : undefined
  }

  it('list each way in, Bearer first, without an error when nothing was presented', async () => {
    expect(await challenges([])).toEqual([
      'Bearer realm="portcullis"',
      'ApiKey realm="portcullis", in="header", name="x-api-key"',
    ])
  })

  it('carry invalid_token where the Bearer scheme was presented, empty too', async () => {
    for (const value of ['Bearer a.b.bad', 'Bearer', 'Bearer nobody-takes-it']) {
      expect((await challenges([['Authorization', value]]))?.[0]).toBe(
        'Bearer realm="portcullis", error="invalid_token"',
      )
    }
    expect((await challenges([['X-Api-Key', 'ptc_bad']]))?.[0]).toBe('Bearer realm="portcullis"')
    expect((await challenges([['Authorization', 'Basic eA==']]))?.[0]).toBe('Bearer realm="portcullis"')
  })
})
