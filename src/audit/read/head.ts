import { join } from 'node:path'
import { checkpointsName } from '../format/segments.ts'
import { findLastCheckpoint } from '../write/find-checkpoint.ts'

/** @returns the last checkpoint as its line, to keep elsewhere; undefined when there is none */
export async function readHead(directory: string): Promise<string | undefined> {
  return (await findLastCheckpoint(join(directory, checkpointsName))).last?.line
}
