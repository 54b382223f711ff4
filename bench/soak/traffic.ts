// The mix of requests, each with the answer that it must get.
import { randomInt } from 'node:crypto'
import { makeApiKey, scope } from '../credentials.ts'
import type { Issuer } from '../credentials.ts'
import { largeAnswer } from './upstream.ts'
import type { Answer, Client, Exchange } from './exchange.ts'

/** A kind of request. */
export interface Kind {
  readonly name: string
  /** How often it comes, relative to the others. */
  readonly weight: number
  make(): Exchange | Promise<Exchange>
  /** Says what is wrong with the answer, if anything. */
  judge(answer: Answer): string | undefined
}

/** Counts by kind, and the first complaint of each. */
export interface Tally {
  readonly sent: Map<string, number>
  readonly failed: Map<string, { count: number; first: string }>
}

/** Makes the kinds; tokens that must be the same each time are signed here. */
export async function makeKinds(keys: Issuer, apiKeys: readonly string[]): Promise<readonly Kind[]> {
  const warm = await keys.sign('RS256', 100)
  const [expired = ''] = await keys.sign('RS256', 1, { iat: 1_600_000_000, exp: 1_600_003_600 })
  const spoil = (token: string): string =>
    `${token.slice(0, -10)}${token.at(-10) === 'A' ? 'B' : 'A'}${token.slice(-9)}`
  const any = (list: readonly string[]): string => list[randomInt(list.length)] ?? ''
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
  const fresh = async (overrides = {}): Promise<string> =>
    (await keys.sign('ES256', 1, { sub: `user-${randomInt(1e9)}`, scope, ...overrides }))[0] ?? ''
  const items = '/catalog/items'

  return [
    kind('known token', 8, () => ({ path: items, headers: bearer(any(warm)) }), status(200)),
    kind('new token', 3, async () => ({ path: items, headers: bearer(await fresh()) }), status(200)),
    kind('API key', 4, () => ({ path: items, headers: { 'x-api-key': any(apiKeys) } }), status(200)),
    kind('public', 3, () => ({ path: '/public/items' }), status(200)),
    kind('no credential', 2, () => ({ path: items }), refusal(401, 'credential_missing')),
    kind(
      'spoilt token',
      1,
      () => ({ path: items, headers: bearer(spoil(any(warm))) }),
      refusal(401, 'credential_invalid'),
    ),
    kind(
      'expired token',
      1,
      () => ({ path: items, headers: bearer(expired) }),
      refusal(401, 'credential_expired'),
    ),
    kind(
      'unknown API key',
      1,
      () => ({ path: items, headers: { 'x-api-key': makeApiKey().key } }),
      refusal(401, 'credential_invalid'),
    ),
    kind(
      'two credentials',
      1,
      () => ({ path: items, headers: { ...bearer(any(warm)), 'x-api-key': any(apiKeys) } }),
      refusal(400, 'credential_ambiguous'),
    ),
    kind(
      'missing scope',
      1,
      () => ({ path: '/administration/users', headers: bearer(any(warm)) }),
      refusal(403, 'insufficient_scope'),
    ),
    kind('no such route', 1, () => ({ path: '/nowhere' }), refusal(404, 'route_not_found')),
    kind(
      'upload',
      1,
      () => ({ path: '/catalog/upload', headers: bearer(any(warm)), body: Buffer.alloc(65_536, 'y') }),
      (answer) => status(200)(answer) ?? (answer.body === '65536' ? undefined : 'the body was cut'),
    ),
    kind(
      'download',
      1,
      () => ({ path: '/public/large' }),
      (answer) => status(200)(answer) ?? (answer.size === largeAnswer ? undefined : 'the answer was cut'),
    ),
    kind('event stream', 1, () => ({ path: '/public/events', enough: 36 }), status(200)),
    kind(
      'impatient caller',
      1,
      () => ({ path: '/catalog/slow', headers: bearer(any(warm)), abortAfter: 50 }),
      status('aborted'),
    ),
  ]
}

/** Sends requests one after the other on each of `lanes`, until `deadline`. */
export async function drive(
  client: Client,
  kinds: readonly Kind[],
  setting: { readonly lanes: number; readonly deadline: number; readonly tally: Tally },
): Promise<void> {
  const deck = kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind))
  const lane = async (): Promise<void> => {
    while (Date.now() < setting.deadline) {
      const kind = deck[randomInt(deck.length)]
      if (kind !== undefined) await attempt(client, kind, setting.tally)
    }
  }
  await Promise.all(Array.from({ length: setting.lanes }, lane))
}

async function attempt(client: Client, kind: Kind, { sent, failed }: Tally): Promise<void> {
  sent.set(kind.name, (sent.get(kind.name) ?? 0) + 1)
  const complaint = await client
    .send(await kind.make())
    .then((answer) => kind.judge(answer))
    .catch((error: unknown) => String(error))
  if (complaint === undefined) return
  const entry = failed.get(kind.name) ?? { count: 0, first: complaint }
  entry.count += 1
  failed.set(kind.name, entry)
}

function kind(name: string, weight: number, make: Kind['make'], judge: Kind['judge']): Kind {
  return { name, weight, make, judge }
}

function status(expected: Answer['status']): Kind['judge'] {
  return (answer) =>
    answer.status === expected ? undefined : `expected ${expected}, got ${answer.status}: ${answer.body}`
}

function refusal(expected: number, code: string): Kind['judge'] {
  return (answer) =>
    status(expected)(answer) ??
    (answer.body.includes(`"${code}"`) ? undefined : `expected ${code}, got: ${answer.body}`)
}
