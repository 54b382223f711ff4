/** For tests: a log in a folder of its own, a clock that is set by hand, and events to write. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditSettings } from '../../configuration.ts'
import type { AuditEntry } from '../../ports/audit-log.ts'
import type { AuditAlarm } from '../alarm.ts'
import type { FileAuditLog } from '../file-audit-log.ts'
import { parseRecord, type AuditRecord } from '../format/event.ts'
import { checkpointsName, listSegments } from '../format/segments.ts'
import { openAuditLog, type AuditLogDeps } from '../open.ts'

export interface LogFolder extends AsyncDisposable {
  readonly directory: string
  readonly key: string
  readonly alarms: { readonly kind: AuditAlarm; readonly detail: string }[]
  /** Milliseconds since the epoch; the log's clock reads it. */
  now: number
  open(settings?: Partial<AuditSettings>, deps?: Partial<AuditLogDeps>): Promise<FileAuditLog>
  /** All lines of all segments, as written. */
  lines(): Promise<string[]>
  records(): Promise<AuditRecord[]>
  checkpoints(): Promise<string[]>
  /** Replaces all lines of one segment. */
  rewrite(segment: string, lines: readonly string[]): Promise<void>
  alarmKinds(): AuditAlarm[]
}

export const startOfTime: number = Date.parse('2026-11-24T16:00:00.000Z')

export async function logFolder(parent: string = tmpdir()): Promise<LogFolder> {
  const root = await mkdtemp(join(parent, 'portcullis-audit-'))
  const directory = join(root, 'audit')
  const key = join(root, 'audit.key')
  const folder: LogFolder = {
    directory,
    key,
    alarms: [],
    now: startOfTime,
    open: (settings = {}, deps = {}) =>
      openAuditLog(
        {
          mode: 'relaxed',
          directory,
          key,
          index: false,
          retain: { size: 1024 ** 3, age: 400 * 86_400_000 },
          sinks: [],
          ...settings,
        },
        {
          clock: { now: () => folder.now },
          instance: 'gateway-1',
          configurationHash: () => 'c'.repeat(64),
          onAlarm: (kind, detail) => folder.alarms.push({ kind, detail }),
          ...deps,
        },
      ),
    lines: async () => {
      const texts = await Promise.all(
        (await listSegments(directory)).map(({ path }) => readFile(path, 'utf8')),
      )
      return texts.flatMap((text) => text.split('\n').filter((line) => line !== ''))
    },
    records: async () => (await folder.lines()).map((line) => parseRecord(line) as AuditRecord),
    checkpoints: async () => {
      const text = await readFile(join(directory, checkpointsName), 'utf8')
      return text.split('\n').filter((line) => line !== '')
    },
    rewrite: (segment, lines) =>
      writeFile(join(directory, segment), lines.map((line) => `${line}\n`).join('')),
    alarmKinds: () => folder.alarms.map(({ kind }) => kind),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
  return folder
}

/** An admitted request. */
export function admitted(number: number, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    time: startOfTime + number,
    type: 'authorization',
    outcome: 'allow',
    requestId: `request-${number}`,
    route: 'catalog-read',
    method: 'GET',
    host: 'api.example.com',
    path: `/catalog/items/${number}`,
    clientIp: '192.0.2.1',
    authenticator: 'corp-token',
    credential: { kind: 'jwt', id: `token-${number}`, fingerprint: 'f'.repeat(32) },
    identity: {
      issuer: 'https://login.example.com',
      subject: `user-${number % 7}`,
      scopes: ['catalog:read'],
    },
    durationMs: 0.25,
    ...more,
  }
}

/** A refused request. */
export function refused(number: number, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    time: startOfTime + number,
    type: 'authentication',
    outcome: 'refuse',
    reason: 'token_signature',
    code: 'credential_invalid',
    requestId: `request-${number}`,
    route: 'catalog-read',
    method: 'GET',
    host: 'api.example.com',
    path: `/catalog/items/${number}`,
    clientIp: '198.51.100.7',
    ...more,
  }
}

/** Makes a log of several segments, closed in order. */
export async function writtenLog(
  folder: LogFolder,
  events: number,
  segmentBytes = 4096,
): Promise<FileAuditLog> {
  const log = await folder.open({}, { tuning: { segmentBytes, batchEvents: 4 } })
  for (let number = 1; number <= events; number++) {
    folder.now += 10
    await log.record(admitted(number))
    if (number % 8 === 0) await log.flush()
  }
  await log.close()
  return log
}

export async function segmentNames(folder: LogFolder): Promise<string[]> {
  return (await readdir(folder.directory)).filter((name) => name.endsWith('.jsonl')).sort()
}
