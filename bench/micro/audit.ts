/**
 * What an audit event costs from the moment it is handed over until it is written, and indexed. CPU microseconds for an event
 * on the thread that serves requests and on all threads; run with `node bench/micro/audit.ts` (`--json`, `--events N`, `--only WORD`).
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openAuditLog } from '../../src/audit/open.ts'
import type { AuditCredential, AuditEntry, AuditIdentity } from '../../src/ports/audit-log.ts'

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '50000' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})
const events = Number(values.events)
const perTurn = 32
const rounds = 5

interface Row {
  readonly name: string
  /** Microseconds until `record` returns. */
  readonly handOver: number
  readonly main: number
  readonly all: number
  /** Bytes of the index for each event. */
  readonly indexBytes: number
}

interface Caller {
  readonly credential: AuditCredential
  readonly identity: AuditIdentity
}

const callers: readonly Caller[] = Array.from({ length: 100 }, (_, at) => ({
  credential: Object.freeze({ kind: 'jwt', id: `token-${at}`, fingerprint: hex(at * 2_654_435_761, 32) }),
  identity: Object.freeze({
    issuer: 'https://login.example.com',
    subject: `partner-${at}`,
    client: 'catalog-app',
    scopes: ['catalog:read'],
    roles: ['partner'],
    amr: ['jwt'],
  }),
}))

const rows: Row[] = []
for (const mode of ['relaxed', 'strict'] as const) {
  for (const index of [false, true]) {
    const name = index ? `${mode}, index` : mode
    if (name.includes(values.only)) rows.push(await median(name, mode, index))
  }
}
if (values.json) console.log(JSON.stringify(rows))
else {
  console.log(`${'µs CPU for an event'.padEnd(24)}hand-over     main      all   index bytes`)
  for (const { name, handOver, main, all, indexBytes } of rows) {
    const cells = [handOver, main, all].map((value) => value.toFixed(2).padStart(9)).join('')
    console.log(`${name.padEnd(24)}${cells}${indexBytes.toFixed(1).padStart(14)}`)
  }
}

async function median(name: string, mode: 'relaxed' | 'strict', index: boolean): Promise<Row> {
  const runs: Row[] = []
  // The first one warms up.
  for (let round = 0; round <= rounds; round += 1) runs.push(await run(name, mode, index))
  return runs.slice(1).toSorted((a, b) => a.all - b.all)[Math.floor(rounds / 2)]!
}

async function run(name: string, mode: 'relaxed' | 'strict', index: boolean): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-audit-'))
  try {
    const directory = join(folder, 'audit')
    const settings = {
      mode,
      directory,
      key: join(folder, 'audit.key'),
      index,
      retain: { size: 10 * 1024 ** 3, age: 400 * 86_400_000 },
      sinks: [],
    }
    const log = await openAuditLog(settings, {
      clock: { now: () => Date.now() },
      instance: '0d5fbd9e-6a0c-4c5e-9d0c-0b4b8f6a2f11',
      configurationHash: () => '5f70bf18aa',
      onAlarm: (kind, detail) => console.error(kind, detail),
      onEvent: () => undefined,
    })
    let making = 0
    let handOver = 0
    const main = process.threadCpuUsage()
    const all = process.cpuUsage()
    for (let at = 0; at < events; at += perTurn) {
      const before = process.hrtime.bigint()
      const made = Array.from({ length: perTurn }, (_, more) => eventOf(at + more))
      const began = process.hrtime.bigint()
      const answers = made.map((event) => log.record(event))
      handOver += Number(process.hrtime.bigint() - began) / 1000
      making += Number(began - before) / 1000
      for (const answer of answers) if (answer !== undefined) await answer
      await new Promise((resolve) => setImmediate(resolve))
    }
    // With everything that a running gateway would do later.
    await log.close()
    return {
      name,
      handOver: handOver / events,
      main: (sum(process.threadCpuUsage(main)) - making) / events,
      all: (sum(process.cpuUsage(all)) - making) / events,
      indexBytes: (await indexBytes(directory)) / events,
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** What a warm request's decision says. */
function eventOf(at: number): AuditEntry {
  const { credential, identity } = callers[at % callers.length]!
  return {
    time: Date.now(),
    type: 'authorization',
    outcome: 'allow',
    reason: undefined,
    code: undefined,
    detail: undefined,
    requestId: hex(at * 40_503, 32),
    traceId: hex(at * 69_069, 32),
    route: 'catalog-read',
    method: 'GET',
    host: 'api.example.com',
    path: `/catalog/items/${at % 1000}`,
    clientIp: '192.0.2.10',
    tls: undefined,
    authenticator: 'corp-token',
    credential,
    identity,
    durationMs: (at % 100) / 1000,
    report: undefined,
    data: undefined,
  }
}

async function indexBytes(directory: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(directory))
    if (name.includes('index')) bytes += (await stat(join(directory, name))).size
  return bytes
}

function sum({ user, system }: NodeJS.CpuUsage): number {
  return user + system
}

function hex(value: number, digits: number): string {
  return (value >>> 0).toString(16).padStart(digits, '0')
}
