/**
 * One SQLite file, two connections: reads never wait, and a long import is not seen half done. Writes queue up, take the
 * file's write lock without blocking the process while another one holds it, and are whole or not at all.
 */
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { migrations } from './schema.ts'

export interface Connection {
  /** Sees only what is committed. */
  readonly reader: DatabaseSync
  /** For preparing statements that run inside `write`. */
  readonly writer: DatabaseSync
  /**
   * Runs `work` in one transaction; a throw rolls all of it back. `work` may pause between pieces of a long job: nobody
   * else's write comes between. Durable on disk when it resolves, unless `durable` is false.
   */
  write<T>(work: () => T | Promise<T>, options?: { readonly durable: boolean }): Promise<T>
  close(): Promise<void>
}

/** Marks the file as ours (`PTCS`), so that somebody else's database is not taken for an empty store. */
const applicationId = 0x50544353
/** How long a write waits for another process before it fails, in milliseconds. */
const patience = 30_000
const readerTimeout = 1_000

/** @throws Error with a readable message when the file is newer than this version, or is no store */
export function openConnection(path: string): Connection {
  try {
    createPrivately(path)
    return openBoth(path)
  } catch (error) {
    throw readable(path, error)
  }
}

function openBoth(path: string): Connection {
  const writer = new DatabaseSync(path, { timeout: readerTimeout * 5, allowExtension: false })
  try {
    writer.exec('PRAGMA journal_mode = WAL')
    migrate(path, writer)
    // From here on waiting is ours: a lock that is held elsewhere must not stop the requests of this process.
    writer.exec('PRAGMA busy_timeout = 0; PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 67108864')
    const reader = new DatabaseSync(path, { timeout: readerTimeout, allowExtension: false })
    reader.exec('PRAGMA query_only = ON; PRAGMA cache_size = -32768')
    return connect(path, reader, writer)
  } catch (error) {
    writer.close()
    throw error
  }
}

function connect(path: string, reader: DatabaseSync, writer: DatabaseSync): Connection {
  let queue: Promise<unknown> = Promise.resolve()
  let isDurable = true
  writer.exec('PRAGMA synchronous = FULL')

  async function transact<T>(work: () => T | Promise<T>, durable: boolean): Promise<T> {
    if (durable !== isDurable) {
      // In WAL mode NORMAL survives a crash of the process; only FULL also survives one of the machine.
      writer.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
      isDurable = durable
    }
    await begin(path, writer)
    try {
      const result = await work()
      writer.exec('COMMIT')
      return result
    } catch (error) {
      if (writer.isTransaction) writer.exec('ROLLBACK')
      throw error
    }
  }

  return {
    reader,
    writer,
    write: (work, { durable } = { durable: true }) => {
      const result = queue.then(() => transact(work, durable))
      queue = result.catch(() => undefined)
      return result
    },
    close: async () => {
      await queue
      reader.close()
      writer.close()
    },
  }
}

async function begin(path: string, writer: DatabaseSync): Promise<void> {
  const deadline = performance.now() + patience
  for (;;) {
    try {
      writer.exec('BEGIN IMMEDIATE')
      return
    } catch (error) {
      if (!isBusy(error)) throw error
      if (performance.now() > deadline) {
        throw new Error(`the store ${path} was locked by another process for ${patience / 1000} s`, {
          cause: error,
        })
      }
      await delay(5 + Math.random() * 20)
    }
  }
}

/** @see https://www.sqlite.org/rescode.html#busy the low byte is the primary code */
function isBusy(error: unknown): boolean {
  const { errcode } = error as { readonly errcode?: number }
  return errcode !== undefined && (errcode & 0xff) === 5
}

/** The file must never be readable by others, not even for the moment between its making and a chmod. SQLite gives its side files the same mode. */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  closeSync(openSync(path, 'a', 0o600))
}

function migrate(path: string, writer: DatabaseSync): void {
  writer.exec('BEGIN IMMEDIATE')
  try {
    const owner = pragma(writer, 'application_id')
    const version = pragma(writer, 'user_version')
    if (owner !== 0 && owner !== applicationId) {
      throw new UnfitStoreError(`the store ${path} is a database of another program`)
    }
    if (version > migrations.length) {
      throw new UnfitStoreError(
        `the store ${path} was written by a newer version (schema ${version}, this version knows ${migrations.length}); ` +
          `run that version, or restore a copy from before the upgrade`,
      )
    }
    for (const step of migrations.slice(version)) writer.exec(step)
    writer.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`)
    writer.exec('COMMIT')
  } catch (error) {
    writer.exec('ROLLBACK')
    throw error
  }
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
}

class UnfitStoreError extends Error {
  override readonly name = 'UnfitStoreError'
}

/** @see https://www.sqlite.org/rescode.html#notadb */
function readable(path: string, error: unknown): Error {
  if (error instanceof UnfitStoreError) return error
  const { errcode, message } = error as { readonly errcode?: number; readonly message: string }
  const text =
    errcode === 26
      ? `the store ${path} is no SQLite database`
      : `the store ${path} cannot be opened: ${message}`
  return new UnfitStoreError(text, { cause: error })
}
