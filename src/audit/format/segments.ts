/**
 * The files of a log: `audit-<first seq, 16 digits>.jsonl`, so that the order of names is the order of records; and beside each,
 * where there is an index, `audit-<first seq>.index`.
 */
import { readdir } from 'node:fs/promises'
import { readdirSync, type Dirent } from 'node:fs'
import { join } from 'node:path'

export const checkpointsName = 'checkpoints.log'

export interface Segment {
  readonly name: string
  readonly path: string
  /** Where its index is, if it has one. */
  readonly indexPath: string
  /** The seq that its first record has, by its name. */
  readonly firstSeq: number
}

const form = /^audit-([0-9]{16})\.jsonl$/

export function segmentAt(directory: string, firstSeq: number): Segment {
  const stem = `audit-${String(firstSeq).padStart(16, '0')}`
  const name = `${stem}.jsonl`
  return { name, path: join(directory, name), indexPath: join(directory, `${stem}.index`), firstSeq }
}

/** @returns the segments, oldest first. A directory that is not there has none. */
export async function listSegments(directory: string): Promise<Segment[]> {
  try {
    return segmentsAmong(directory, await readdir(directory, { withFileTypes: true }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The same, for a thread that has nothing else to do. */
export function listSegmentsSync(directory: string): Segment[] {
  return segmentsAmong(directory, readdirSync(directory, { withFileTypes: true }))
}

function segmentsAmong(directory: string, entries: readonly Dirent[]): Segment[] {
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => form.exec(entry.name)?.[1])
    .filter((digits) => digits !== undefined)
    .map((digits) => segmentAt(directory, Number(digits)))
    .sort((a, b) => a.firstSeq - b.firstSeq)
}
