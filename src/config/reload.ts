/** Tells when the configuration, or a file that it refers to, has other content than before. */
import { createHash } from 'node:crypto'
import { watch } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface WatchOptions {
  /** The configuration, absolute. */
  readonly file: string
  /** Further files whose change matters, absolute. */
  readonly files: readonly string[]
  /** Called once for each change; never twice at a time within one settling. */
  readonly onChange: () => void
  /** Ends the watching. */
  readonly signal: AbortSignal
  /** Milliseconds. */
  readonly pollEvery?: number
  readonly settleFor?: number
}

/**
 * Folders are watched rather than files: an editor that renames a new file into place, and a mounted secret whose symbolic
 * link is swapped, leave a watched file behind. What counts is the content, so a touch is no change; and a slow poll catches
 * what a file system does not report (network mounts, folders made later).
 */
export function watchConfiguration(options: WatchOptions): void {
  const { signal, onChange, pollEvery = 5000, settleFor = 150 } = options
  const files = [...new Set([options.file, ...options.files])]
  let settling: NodeJS.Timeout | undefined
  let known: string | undefined
  let looking: Promise<void> = Promise.resolve()

  const look = async (): Promise<void> => {
    const now = await fingerprintOf(files)
    if (signal.aborted || now === known) return
    const isFirst = known === undefined
    known = now
    if (!isFirst) onChange()
  }
  const lookSoon = (): void => {
    clearTimeout(settling)
    // An editor writes in several steps; half a file is worth no reload.
    settling = setTimeout(lookNow, settleFor)
    settling.unref()
  }
  const lookNow = (): void => {
    looking = looking.then(look)
  }

  const polling = setInterval(lookNow, pollEvery)
  polling.unref()
  lookNow()
  void watchFolders(files, lookSoon, signal)
  signal.addEventListener('abort', () => {
    clearInterval(polling)
    clearTimeout(settling)
  })
}

/** The folders of the files, and of what symbolic links lead to. */
async function watchFolders(
  files: readonly string[],
  onEvent: () => void,
  signal: AbortSignal,
): Promise<void> {
  const folders = new Set(files.map((file) => dirname(file)))
  for (const file of files) {
    const target = await realpath(file).catch(() => undefined)
    if (target !== undefined) folders.add(dirname(target))
  }
  for (const folder of folders) watchFolder(folder, onEvent, signal)
}

function watchFolder(folder: string, onEvent: () => void, signal: AbortSignal): void {
  if (signal.aborted) return
  try {
    const watcher = watch(folder, { signal, persistent: false }, onEvent)
    // A folder that goes away, or too many watches: the poll still sees changes.
    watcher.on('error', () => watcher.close())
  } catch {
    // The folder is not there (yet): the poll sees it when it is.
  }
}

async function fingerprintOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) {
    const content = await contentOf(file).catch(
      (error: unknown) => `(${(error as NodeJS.ErrnoException).code})`,
    )
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest('base64')
}

/** A device has no end, and a huge file is no configuration: loading refuses both, watching must not read them either. */
async function contentOf(file: string): Promise<Uint8Array | string> {
  const about = await stat(file)
  return about.isFile() && about.size <= largest ? readFile(file) : `(${about.size}, ${about.mtimeMs})`
}

const largest = 8 * 1024 * 1024
