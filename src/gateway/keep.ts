/** What a reload may keep: a part whose settings did not change stays, with its connections, caches and key sets. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Secret } from '../engine/secret.ts'

export interface Kept<Part> {
  readonly fingerprint: string
  readonly part: Part
}

/** Parts by name, each with the fingerprint of the settings that it was made from. */
export class Keeper<Settings, Part> {
  readonly #make: (settings: Settings, name: string) => Part
  readonly #files: (settings: Settings) => readonly (string | undefined)[]

  /** `files`: paths whose content counts as part of the settings. */
  constructor(
    make: (settings: Settings, name: string) => Part,
    files: (settings: Settings) => readonly (string | undefined)[] = () => [],
  ) {
    this.#make = make
    this.#files = files
  }

  /**
   * @param extra - what else the part depends on, such as the part beneath it
   * @returns the parts for these settings, kept from `previous` where nothing changed
   */
  build(
    settings: Readonly<Record<string, Settings>>,
    previous: ReadonlyMap<string, Kept<Part>> | undefined,
    extra: (settings: Settings) => string = () => '',
  ): Map<string, Kept<Part>> {
    const parts = new Map<string, Kept<Part>>()
    for (const [name, own] of Object.entries(settings)) {
      const fingerprint = fingerprintOf(own, this.#files(own), extra(own))
      const before = previous?.get(name)
      parts.set(
        name,
        before?.fingerprint === fingerprint ? before : { fingerprint, part: this.#make(own, name) },
      )
    }
    return parts
  }
}

/** @returns the parts of `previous` that are not in `next` any more */
export function retired<Part>(
  previous: ReadonlyMap<string, Kept<Part>>,
  next: ReadonlyMap<string, Kept<Part>>,
): Part[] {
  const staying = new Set([...next.values()].map(({ part }) => part))
  return [...previous.values()].map(({ part }) => part).filter((part) => !staying.has(part))
}

/** A secret counts by its digest: two different ones must differ here, and neither may be kept readable. */
export function fingerprintOf(
  settings: unknown,
  files: readonly (string | undefined)[] = [],
  extra = '',
): string {
  const hash = createHash('sha256')
  hash.update(
    JSON.stringify(settings, function (this: Record<string, unknown>, name, value: unknown) {
      const raw = this[name]
      return raw instanceof Secret ? createHash('sha256').update(raw.reveal()).digest('hex') : value
    }) ?? '',
  )
  for (const file of files) {
    if (file !== undefined) hash.update(`\u0000${file}\u0000`).update(readOrEmpty(file))
  }
  return hash.update(`\u0000${extra}`).digest('hex')
}

function readOrEmpty(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch {
    return Buffer.alloc(0)
  }
}
