/**
 * What an API key costs: remembered, and looked up among a thousand and among a million in SQLite. CPU microseconds per
 * call; run with `node bench/micro/keys.ts` (`--json`, and `--keys N` for another size).
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApiKeyAuthenticator } from '../../src/engine/authenticators/api-key/authenticator.ts'
import { digestOfKey } from '../../src/engine/authenticators/api-key/digest.ts'
import { makeKey } from '../../src/engine/authenticators/api-key/key-format.ts'
import type { ApiKeyRecord } from '../../src/ports/api-keys.ts'
import type { Store } from '../../src/ports/store.ts'
import { openStore } from '../../src/stores/open.ts'
import { keySettings } from '../../test/support/key-gate.ts'

interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
}

const clock = { now: (): number => Date.now() }
const rounds = 7
const callsPerRound = 5_000
const small = 1_000
const large = Number(process.argv[process.argv.indexOf('--keys') + 1]) || 1_000_000
const folder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'))

try {
  const rows = await measureAll()
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows))
  else
    for (const { name, value, unit } of rows)
      console.log(`${name.padEnd(36)}${value.toFixed(2).padStart(10)} ${unit}`)
} finally {
  rmSync(folder, { recursive: true })
}

async function measureAll(): Promise<readonly Row[]> {
  const rows: Row[] = []
  await fill('small', small)
  const began = performance.now()
  await fill('large', large)
  rows.push({ name: `insert ${large} keys`, value: (performance.now() - began) / 1_000, unit: 's' })
  // Opened anew: neither has the pages of its own filling in memory.
  const [few, many] = [await open('small'), await open('large')]
  const before = process.memoryUsage().rss
  const best = { few: Infinity, many: Infinity }
  for (let round = 0; round <= rounds; round += 1) {
    best.few = Math.min(best.few, lookUps(few, small))
    best.many = Math.min(best.many, lookUps(many, large))
  }
  const grown = (process.memoryUsage().rss - before) / 1024 ** 2
  rows.push(
    { name: `look-up among ${small}`, value: best.few, unit: 'µs' },
    { name: `look-up among ${large}`, value: best.many, unit: 'µs' },
    { name: 'ratio', value: best.many / best.few, unit: '' },
    { name: `memory for ${(rounds + 1) * callsPerRound} look-ups in each`, value: grown, unit: 'MiB' },
    ...(await measureAuthenticator(few)),
  )
  await few.close()
  await many.close()
  return rows
}

async function measureAuthenticator(store: Store): Promise<readonly Row[]> {
  const { id, key } = makeKey('ptc')
  await store.apiKeys.insert([{ ...recordFor(0), id, digests: [digestOfKey(key, undefined)] }])
  const settings = keySettings()
  const [place] = settings.in
  const presented = { value: key, place: place! }
  const from = { clientIp: '192.0.2.1' }
  const authenticator = createApiKeyAuthenticator(settings, {
    store: store.apiKeys,
    changes: store.changes,
    clock,
    revocations: { isRevoked: () => false },
    onUse: () => undefined,
  })
  await authenticator.verify(presented, from)
  const mistyped = { ...presented, value: `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}` }
  return [
    { name: 'recall', value: measure(() => authenticator.recall(presented, from), 200_000), unit: 'µs' },
    { name: 'verify', value: measure(() => authenticator.verify(presented, from), 10_000), unit: 'µs' },
    { name: 'verify a typo', value: measure(() => authenticator.verify(mistyped, from), 50_000), unit: 'µs' },
  ]
}

async function fill(name: string, count: number): Promise<void> {
  const store = await open(name)
  const batch = 50_000
  for (let from = 0; from < count; from += batch) {
    const size = Math.min(batch, count - from)
    await store.apiKeys.insert(Array.from({ length: size }, (_, index) => recordFor(from + index)))
  }
  await store.close()
}

function recordFor(index: number): ApiKeyRecord {
  return {
    id: `bench-${index}`,
    owner: `owner-${index % 1_000}`,
    digests: [digestFor(index)],
    origin: 'created',
    prefix: 'ptc',
    scopes: ['catalog:read'],
    roles: [],
    metadata: {},
    allowedIps: [],
    allowedRoutes: [],
    createdAt: 1_800_000_000_000,
    expiresAt: 1_900_000_000_000,
  }
}

function open(name: string): Promise<Store> {
  return openStore(join(folder, `${name}.db`), { clock })
}

function digestFor(index: number): string {
  return createHash('sha256').update(`key ${index}`).digest('hex')
}

function lookUps(store: Store, count: number): number {
  const digests = Array.from({ length: callsPerRound }, () => digestFor(Math.floor(Math.random() * count)))
  const before = process.cpuUsage()
  for (const digest of digests) {
    if (store.apiKeys.findByDigest(digest) === undefined) throw new Error('a key is missing')
  }
  return spentSince(before) / callsPerRound
}

/** The best of several rounds: other work on the machine only ever adds. */
function measure(call: () => unknown, calls: number): number {
  let best = Infinity
  for (let round = 0; round <= rounds; round += 1) {
    const before = process.cpuUsage()
    for (let n = 0; n < calls; n += 1) call()
    best = Math.min(best, spentSince(before) / calls)
  }
  return best
}

function spentSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return user + system
}
