/** Keeps what the authorities and revocation files say, as they are now. */
import type { TrustMaterial, TrustSettings, TrustSource } from '../engine/certificates/trust.ts'
import { readMaterial } from './read-material.ts'
import { stampOf, stampOfSync } from './stamp.ts'

export interface TrustFiles {
  /** The same settings yield the same source. Never throws: what cannot be read trusts nobody, and is told. */
  open(settings: TrustSettings): TrustSource
  /** Looks at the files now. @returns once all that changed has been read */
  look(): Promise<void>
  close(): void
}

export interface TrustFilesOptions {
  /** Files were read anew. */
  readonly onChange: (files: readonly string[]) => void
  /** A file cannot be used; what was read before stays. */
  readonly onFault: (fault: string) => void
  /** Milliseconds between two looks. */
  readonly pollEvery?: number
}

interface Watched {
  readonly settings: TrustSettings
  readonly files: readonly string[]
  readonly source: { material: TrustMaterial }
  /** Of the files when they were last read, well or badly. */
  stamp: string
  /** Told once, and again only when it is another one. */
  fault: string | undefined
}

/** Status calls on a handful of files: cheaper than to miss a change that no watcher reports. */
const usualPoll = 1000

export function createTrustFiles(options: TrustFilesOptions): TrustFiles {
  const watched = new Map<string, Watched>()
  const { pollEvery = usualPoll, onChange, onFault } = options
  let looking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const open = (settings: TrustSettings): TrustSource => {
    const key = JSON.stringify([settings.authorities, settings.revocation, settings.scope])
    const before = watched.get(key)
    if (before !== undefined) return before.source
    const files = [...settings.authorities, ...settings.revocation]
    const each: Watched = {
      settings,
      files,
      source: { material: { authorities: undefined, lists: undefined, scope: settings.scope } },
      // Taken before reading: a change in between is seen by the next look.
      stamp: stampOfSync(files),
      fault: undefined,
    }
    watched.set(key, each)
    read(each)
    timer ??= setInterval(() => void look(), pollEvery).unref()
    return each.source
  }

  const read = (each: Watched): boolean => {
    const material = readMaterial(each.settings)
    if (typeof material === 'string') {
      if (material !== each.fault) onFault(material)
      each.fault = material
      return false
    }
    each.fault = undefined
    each.source.material = material
    return true
  }

  const look = (): Promise<void> => {
    looking ??= lookAtAll().finally(() => {
      looking = undefined
    })
    return looking
  }

  const lookAtAll = async (): Promise<void> => {
    for (const each of watched.values()) {
      const stamp = await stampOf(each.files)
      // A file that could not be used is tried again each time: it may have been half written within one tick of its clock.
      if (stamp === each.stamp && each.fault === undefined) continue
      each.stamp = stamp
      if (read(each)) onChange(each.files)
    }
  }

  return {
    open,
    look,
    close() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
