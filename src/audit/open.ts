/** Opens the audit log of a gateway: takes the directory, finds the chain's end, records the start and signs it. */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createPublicKey } from 'node:crypto'
import type { AuditSettings } from '../configuration.ts'
import type { AuditOutcome, AuditType } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import type { OnAlarm } from './alarm.ts'
import { FileAuditLog } from './file-audit-log.ts'
import { ownEvent, ownReasons, type StartFacts } from './format/own-events.ts'
import { checkpointsName } from './format/segments.ts'
import { IndexWriter } from './index/writer.ts'
import { openAuditKey, type AuditKey } from './key.ts'
import { lockDirectory, type DirectoryLock } from './lock.ts'
import { stdoutSink } from './sinks/stdout.ts'
import { CheckpointFile } from './write/checkpoint-file.ts'
import { Journal } from './write/journal.ts'
import { recover } from './write/recover.ts'

export interface AuditLogDeps {
  readonly clock: Clock
  /** Names this gateway among others, in each event. */
  readonly instance: string
  /** Asked for each event: a reload changes it. */
  readonly configurationHash: () => string
  readonly onAlarm: OnAlarm
  /** Seconds that the oldest event of a batch waited. */
  readonly onLag?: (seconds: number) => void
  /** Once for each event that was written. */
  readonly onEvent?: (type: AuditType, outcome: AuditOutcome) => void
  /** For the `stdout` sink; default: the process's. */
  readonly stdout?: NodeJS.WritableStream
  readonly tuning?: Partial<AuditTuning>
}

/** Sizes that have good values; tests make them small. */
export interface AuditTuning {
  /** Bytes after which a new segment begins. */
  readonly segmentBytes: number
  /** Milliseconds after which a new segment begins: only whole ones can be let go. */
  readonly segmentAge: number
  /** Events that may wait in `relaxed` mode before callers do. */
  readonly queueBound: number
  /** Events that are serialised at once in `relaxed` mode: what one turn of the loop can afford. */
  readonly batchEvents: number
}

const MiB = 1024 * 1024
const day = 86_400_000

/**
 * @throws AuditLockedError when another gateway writes to the directory
 * @throws Error when the key is none, or the directory cannot be written
 */
export async function openAuditLog(settings: AuditSettings, deps: AuditLogDeps): Promise<FileAuditLog> {
  const { directory } = settings
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await judgePermissions(directory, deps.onAlarm)
  const key = await openAuditKey(settings.key, deps.onAlarm)
  const lock = lockDirectory(directory, {
    instance: deps.instance,
    since: new Date(deps.clock.now()).toISOString(),
  })
  try {
    return await openLocked(settings, deps, key, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function openLocked(
  settings: AuditSettings,
  deps: AuditLogDeps,
  key: AuditKey,
  lock: DirectoryLock,
): Promise<FileAuditLog> {
  const { directory, retain, mode } = settings
  const { clock, instance, onAlarm } = deps
  const tuning = { ...defaultTuning(retain), ...deps.tuning }
  const found = await recover(directory, createPublicKey(key.privateKey), onAlarm)
  const checkpoints = await CheckpointFile.open(join(directory, checkpointsName), key, found.checkpoints)
  const index = settings.index ? await IndexWriter.open(directory, found.segments, onAlarm) : undefined
  const journal = await orClose(checkpoints, () =>
    Journal.open({ directory, instance, ...tuning }, { checkpoints, index }, found, clock.now()),
  )
  await orClose(journal, async () => {
    const facts: StartFacts = { key: key.id, mode, ...found.facts }
    const entry = ownEvent(clock.now(), ownReasons.start, facts)
    await journal.append([{ entry, configuration: deps.configurationHash() }], clock.now(), true)
    await journal.sign(clock.now())
  })
  const log = new FileAuditLog({
    ...deps,
    ...tuning,
    mode,
    retain,
    directory,
    journal,
    key,
    lock,
    sinks: settings.sinks.map(() => stdoutSink(deps.stdout ?? process.stdout, onAlarm)),
  })
  await log.retain()
  return log
}

/** A file that is left open ends the process when it is collected. */
async function orClose<T>(file: { close(): Promise<void> }, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    await file.close()
    throw error
  }
}

function defaultTuning(retain: AuditSettings['retain']): AuditTuning {
  return {
    segmentBytes: Math.min(64 * MiB, Math.max(64 * 1024, Math.floor(retain.size / 16))),
    segmentAge: Math.min(7 * day, Math.max(60_000, Math.floor(retain.age / 16))),
    queueBound: 10_000,
    batchEvents: 256,
  }
}

async function judgePermissions(directory: string, onAlarm: OnAlarm): Promise<void> {
  const { mode } = await stat(directory)
  if (process.platform === 'win32' || (mode & 0o077) === 0) return
  onAlarm('directory_permissions', `${directory} has mode ${(mode & 0o777).toString(8)}; it should be 700`)
}
