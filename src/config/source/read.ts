/** Reads a configuration file, whatever it is written in. */
import { readFile, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { whyUnreadable } from '../references.ts'
import { largestFile, type Document, type PositionedComplaint } from './document.ts'
import { readTypeScript } from './typescript.ts'
import { readYaml } from './yaml.ts'

export type ReadResult = (
  | { readonly ok: true; readonly document: Document }
  | { readonly ok: false; readonly complaints: readonly PositionedComplaint[] }
) & {
  /** Absolute paths of further files that it is made of. */
  readonly files: readonly string[]
}

/** @param file absolute path */
export async function readDocument(file: string): Promise<ReadResult> {
  const fault = await faultOf(file)
  if (fault !== undefined) return { ok: false, complaints: [{ path: [], ...fault }], files: [] }
  const extension = extname(file)
  if (extension === '.ts' || extension === '.mts' || extension === '.js' || extension === '.mjs')
    return readTypeScript(file)
  if (extension === '.yaml' || extension === '.yml' || extension === '.json') {
    const bytes = await readFile(file)
    const source = decode(bytes)
    if (source === undefined)
      return { ok: false, complaints: [{ path: [], message: 'the file is not UTF-8 text' }], files: [] }
    return { ...readYaml(source), files: [] }
  }
  const expected = 'a file that ends in .yaml, .yml, .json or .ts'
  return {
    ok: false,
    complaints: [{ path: [], message: 'what is this file written in?', expected }],
    files: [],
  }
}

async function faultOf(file: string): Promise<{ message: string; expected?: string } | undefined> {
  try {
    const about = await stat(file)
    if (!about.isFile()) return { message: 'this is not a file' }
    return about.size > largestFile
      ? { message: 'the file is larger than 5MiB', expected: 'a configuration' }
      : undefined
  } catch (error) {
    return {
      message: `the file ${whyUnreadable(error)}`,
      expected: 'a configuration; `portcullis init` writes one to start from',
    }
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    // A byte order mark is dropped.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}
