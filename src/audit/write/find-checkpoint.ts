/** Finds places in `checkpoints.log` without reading it whole: its lines are in the order of `seq`. */
import { open, type FileHandle } from 'node:fs/promises'
import { checkpointLineHash, readCheckpoint } from '../format/checkpoint.ts'
import type { FoundCheckpoints, Trim } from './checkpoint-file.ts'

/** Longer than two of its lines. Bytes. */
const windowBytes = 2048

/** @returns where the first checkpoint after `seq` begins, and what the line before it is; undefined when none is before it */
export async function findCheckpointAfter(
  path: string,
  size: number,
  seq: number,
): Promise<Trim | undefined> {
  const handle = await open(path, 'r')
  try {
    let low = 0
    let high = size
    // `low` always begins a line; lines before it are at or before `seq`.
    while (high - low > windowBytes) {
      const line = await lineAfter(handle, low + Math.floor((high - low) / 2), high)
      // A line that is none: leave the file as it is, for `verify` to name.
      if (line === undefined) return undefined
      if (line.seq <= seq) low = line.end
      else high = line.start
    }
    return await lastUpTo(handle, Math.max(0, low - windowBytes), Math.min(size, high + windowBytes), seq)
  } finally {
    await handle.close()
  }
}

/** @returns the end of what is whole in the file, and its last checkpoint */
export async function findLastCheckpoint(path: string): Promise<FoundCheckpoints> {
  const handle = await openIfThere(path)
  if (handle === undefined) return { size: 0 }
  try {
    const { size } = await handle.stat()
    const lines = await linesIn(handle, Math.max(0, size - windowBytes), size)
    const last = lines.at(-1)
    if (last === undefined) return { size: size > windowBytes ? size : 0 }
    const checkpoint = readCheckpoint(last.text)
    if (checkpoint === undefined) return { size: last.end }
    return { size: last.end, last: { checkpoint, line: last.text } }
  } finally {
    await handle.close()
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function lineAfter(
  handle: FileHandle,
  at: number,
  to: number,
): Promise<{ readonly start: number; readonly end: number; readonly seq: number } | undefined> {
  const [line] = await linesIn(handle, at, Math.min(to, at + windowBytes))
  const seq = line === undefined ? undefined : readCheckpoint(line.text)?.seq
  return line === undefined || seq === undefined ? undefined : { start: line.start, end: line.end, seq }
}

async function lastUpTo(
  handle: FileHandle,
  from: number,
  to: number,
  seq: number,
): Promise<Trim | undefined> {
  const lines = await linesIn(handle, from, to)
  const last = lines
    .map((line) => ({ line, seq: readCheckpoint(line.text)?.seq }))
    .findLast((each) => each.seq !== undefined && each.seq <= seq)
  if (last?.seq === undefined) return undefined
  return { offset: last.line.end, seq: last.seq, lineHash: checkpointLineHash(last.line.text) }
}

/** The whole lines between two places. The first is left out unless it begins the file: its beginning is not known. */
async function linesIn(
  handle: FileHandle,
  from: number,
  to: number,
): Promise<{ readonly text: string; readonly start: number; readonly end: number }[]> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from)
  const text = buffer.toString('latin1', 0, bytesRead)
  const lines = []
  let start = from === 0 ? 0 : text.indexOf('\n') + 1
  if (from > 0 && start === 0) return []
  for (let end = text.indexOf('\n', start); end >= 0; end = text.indexOf('\n', start)) {
    lines.push({ text: text.slice(start, end), start: from + start, end: from + end + 1 })
    start = end + 1
  }
  return lines
}
