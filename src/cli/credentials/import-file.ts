import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { CommandError, type CliContext } from '../context.ts'

/** Reads a list of keys from a file or, for `-`, standard input. No message repeats what is in it: it may hold keys. */
export async function readImportFile(context: CliContext, file: string): Promise<unknown> {
  const content = file === '-' ? await text(context.stdin) : await read(context, file)
  try {
    return JSON.parse(content.replace(/^\uFEFF/, '')) as unknown
  } catch (error) {
    throw new CommandError(
      `--file: ${file === '-' ? 'standard input' : file} is no JSON${placeOf(error, content)}`,
    )
  }
}

async function read(context: CliContext, file: string): Promise<string> {
  try {
    return await readFile(resolve(context.cwd, file), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new CommandError(`--file: cannot read ${file}${code === undefined ? '' : ` (${code})`}`)
  }
}

/** The parser's own message quotes the text around the fault; only its position is told. */
function placeOf(error: unknown, content: string): string {
  const position = /at position (\d+)/.exec((error as Error).message)?.[1]
  if (position === undefined) return ''
  const before = content.slice(0, Number(position)).split('\n')
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`
}
