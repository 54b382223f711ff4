import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { resolve } from 'node:path'
import { CommandError, type CliContext } from '../context.ts'

/**
 * Writes text as it is made, no faster than it is taken, to standard output or a file (mode 0600). A reader that goes
 * away (`| head`) ends it in peace; the signal then ends a source that would go on for ever.
 */
export async function writeAll(
  context: CliContext,
  source: (signal: AbortSignal) => AsyncIterable<string> | Iterable<string>,
  file?: string,
): Promise<void> {
  const out: NodeJS.WritableStream =
    file === undefined ? context.stdout : createWriteStream(resolve(context.cwd, file), { mode: 0o600 })
  const gone = new AbortController()
  let failure: NodeJS.ErrnoException | undefined
  const onError = (error: NodeJS.ErrnoException): void => {
    failure = error
    gone.abort()
  }
  const onClose = (): void => gone.abort()
  out.on('error', onError).on('close', onClose)
  try {
    for await (const text of source(gone.signal)) {
      if (gone.signal.aborted) break
      if (!out.write(text)) await once(out, 'drain', { signal: gone.signal }).catch(() => {})
    }
    if (file !== undefined && failure === undefined) await ended(out)
  } finally {
    out.off('error', onError).off('close', onClose)
  }
  if (failure !== undefined && failure.code !== 'EPIPE') {
    throw new CommandError(`cannot write${file === undefined ? '' : ` ${file}`}: ${failure.message}`)
  }
}

async function ended(out: NodeJS.WritableStream): Promise<void> {
  await new Promise<void>((done) => {
    out.once('close', done)
    out.end()
  })
}
