// What V8's profiler saw, added up by function, by file and by room.
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The members of a `.cpuprofile` that are read here. Times are microseconds of the monotonic clock. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      /** From 0. */
      readonly lineNumber: number
    }
  }[]
  readonly startTime: number
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Time spent in something itself, not in what it called. */
export interface SelfTime {
  readonly name: string
  readonly micros: number
}

/** All of it; each list from the most to the least. */
export interface ProfileSums {
  /** Without idling. */
  readonly busyMicros: number
  readonly idleMicros: number
  readonly functions: readonly SelfTime[]
  readonly files: readonly SelfTime[]
  readonly rooms: readonly SelfTime[]
}

/**
 * Adds samples up.
 *
 * @param from only what happened from then on, on the profile's clock
 * @param until and until then
 * @param root paths are told from here
 */
export function sumUp(profile: CpuProfile, from: number, until: number, root: string): ProfileSums {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const sums = { functions: new Sums(), files: new Sums(), rooms: new Sums() }
  let at = profile.startTime
  let idleMicros = 0
  for (const [index, id] of profile.samples.entries()) {
    const micros = profile.timeDeltas[index] ?? 0
    at += micros
    const frame = frames.get(id)
    if (at < from || at > until || frame === undefined) continue
    if (frame.functionName === '(idle)') {
      idleMicros += micros
      continue
    }
    const { file, room } = placeOf(frame, root)
    const line = frame.url === '' ? '' : `:${frame.lineNumber + 1}`
    sums.functions.add(`${frame.functionName || '(anonymous)'} ${file}${line}`, micros)
    sums.files.add(file, micros)
    sums.rooms.add(room, micros)
  }
  return {
    busyMicros: sums.rooms.total,
    idleMicros,
    functions: sums.functions.sorted(),
    files: sums.files.sorted(),
    rooms: sums.rooms.sorted(),
  }
}

function placeOf(
  frame: CpuProfile['nodes'][number]['callFrame'],
  root: string,
): { file: string; room: string } {
  if (frame.functionName === '(garbage collector)') return { file: '(garbage)', room: 'garbage collection' }
  if (frame.functionName.startsWith('(')) return { file: '(native)', room: 'native code and the kernel' }
  if (frame.url === '') return { file: '(native)', room: 'native code and the kernel' }
  if (frame.url.startsWith('node:')) return { file: frame.url, room: "Node.js's own JavaScript" }
  const file = frame.url.startsWith('file:')
    ? relative(root, fileURLToPath(frame.url)).split(sep).join('/')
    : frame.url
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]
  if (dependency !== undefined) return { file, room: dependency }
  return { file, room: file.split('/').slice(0, 2).join('/') }
}

class Sums {
  private readonly byName = new Map<string, number>()
  total = 0

  add(name: string, micros: number): void {
    this.byName.set(name, (this.byName.get(name) ?? 0) + micros)
    this.total += micros
  }

  sorted(): SelfTime[] {
    return [...this.byName].map(([name, micros]) => ({ name, micros })).sort((a, b) => b.micros - a.micros)
  }
}
