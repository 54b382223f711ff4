/**
 * One writer for a directory. The lock is the kernel's, taken through SQLite on an empty file: it ends with the process
 * however that ends, so nothing is ever stale, and no process id is compared (two containers may both be number 1).
 */
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const lockName = 'audit.lock'
const ownerName = 'audit.owner'

/** Another gateway writes to this directory. */
export class AuditLockedError extends Error {
  constructor(directory: string, owner: string) {
    super(`the audit directory ${directory} is in use by another gateway${owner}; each needs its own`)
    this.name = 'AuditLockedError'
  }
}

export interface DirectoryLock {
  release(): void
}

/** @throws AuditLockedError while another process, or this one, holds the directory */
export function lockDirectory(
  directory: string,
  owner: { readonly instance: string; readonly since: string },
): DirectoryLock {
  const path = join(directory, lockName)
  // Opened by other means only to make it: closing any descriptor of a file ends this process's POSIX locks on it.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) throw new AuditLockedError(directory, describeOwner(directory))
    throw error
  }
  noteOwner(join(directory, ownerName), owner)
  return {
    release: () => {
      rmSync(join(directory, ownerName), { force: true })
      database.close()
    },
  }
}

/** For the message of whoever is refused, and nothing else: a disk too full for it keeps no gateway from starting. */
function noteOwner(path: string, owner: { readonly instance: string; readonly since: string }): void {
  try {
    writeFileSync(path, JSON.stringify({ pid: process.pid, ...owner }), { mode: 0o600 })
  } catch {
    rmSync(path, { force: true })
  }
}

function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: number }
  return errcode === 5 || errcode === 261 || errcode === 517
}

function describeOwner(directory: string): string {
  try {
    const owner = JSON.parse(readFileSync(join(directory, ownerName), 'utf8')) as Record<string, unknown>
    return ` (process ${String(owner['pid'])}, instance ${String(owner['instance'])}, since ${String(owner['since'])})`
  } catch {
    return ''
  }
}
