/** The files of the index: read with suspicion, grown by whole blocks, replaced in one step. */
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Segment } from '../format/segments.ts'
import { blockBytes, readBlock, type Block } from './block.ts'

// Never through a symbolic link: whoever may write in the directory must not choose what the gateway writes to.
const noFollow = constants.O_NOFOLLOW ?? 0
const appending = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | noFollow
const replacing = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | noFollow

export interface SegmentIndex {
  /** Those that say what stands in the segment now, in the order of their lines. */
  readonly blocks: readonly Block[]
  /** False where the file holds blocks that do not. */
  readonly isSound: boolean
  /** Part of a block at the end: one that is being written, or that a crash left. */
  readonly isTorn: boolean
}

/** @returns undefined when the segment has no index */
export async function readIndex(segment: Segment): Promise<SegmentIndex | undefined> {
  try {
    return indexFrom(segment, await readFile(segment.indexPath))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function indexFrom(segment: Segment, bytes: Buffer): SegmentIndex {
  const blocks: Block[] = []
  const descriptor = openSync(segment.path, 'r')
  try {
    for (let at = 0; at + blockBytes <= bytes.length; at += blockBytes) {
      const block = readBlock(bytes.subarray(at, at + blockBytes))
      if (block !== undefined && standsIn(descriptor, block)) blocks.push(block)
    }
  } finally {
    closeSync(descriptor)
  }
  return {
    blocks: blocks.toSorted((a, b) => a.from - b.from),
    isSound: blocks.length === Math.floor(bytes.length / blockBytes),
    isTorn: bytes.length % blockBytes !== 0,
  }
}

/** @returns whether the segment is indexed from its beginning to its end; looks at the last block only */
export function isWhole(segment: Segment): boolean {
  const index = openIfThere(segment.indexPath)
  if (index === undefined) return false
  const descriptor = openSync(segment.path, 'r')
  try {
    const { size } = fstatSync(index)
    const bytes = Buffer.alloc(blockBytes)
    if (size < blockBytes || size % blockBytes !== 0) return false
    readSync(index, bytes, 0, blockBytes, size - blockBytes)
    const last = readBlock(bytes)
    return last !== undefined && last.to === fstatSync(descriptor).size && standsIn(descriptor, last)
  } finally {
    closeSync(index)
    closeSync(descriptor)
  }
}

const hashBytes = 64
const closing = '"}\n'

/** The hash stands for everything before it: what was taken back and written otherwise has another. */
function standsIn(descriptor: number, { to, hash }: Block): boolean {
  const length = hashBytes + closing.length
  const bytes = Buffer.alloc(length)
  const read = readSync(descriptor, bytes, 0, length, Math.max(0, to - length))
  return read === length && bytes.toString('latin1') === `${hash}${closing}`
}

/** @throws Error when the block could not be written whole */
export async function appendBlock(segment: Segment, block: Buffer): Promise<void> {
  const handle = await open(segment.indexPath, appending, 0o600)
  try {
    const { bytesWritten } = await handle.write(block)
    if (bytesWritten !== block.length) throw new Error(`${segment.indexPath}: no room for a block`)
  } finally {
    await handle.close()
  }
}

/** Puts a new index in the place of the old one. */
export function replaceIndex(segment: Segment, blocks: readonly Buffer[]): void {
  const path = `${segment.indexPath}.${process.pid}`
  try {
    const descriptor = openSync(path, replacing, 0o600)
    try {
      for (const block of blocks) writeSync(descriptor, block)
    } finally {
      closeSync(descriptor)
    }
    renameSync(path, segment.indexPath)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
}

const form = /^audit-([0-9]{16})\.index(\.[0-9]+)?$/

/** Removes what belongs to no segment, and what a crash left half made. */
export async function removeOrphans(directory: string, segments: readonly Segment[]): Promise<void> {
  const known = new Set(segments.map(({ firstSeq }) => firstSeq))
  for (const name of await readdir(directory)) {
    const [, digits, temporary] = form.exec(name) ?? []
    if (digits !== undefined && (temporary !== undefined || !known.has(Number(digits))))
      await rm(join(directory, name), { force: true })
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
