/**
 * Proves that a log is what was written, or names the first record that is not. Reads everything once, in bounded
 * memory, and needs nothing but the files and the public key.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { genesis, type Link } from '../format/chain.ts'
import { isSignedBy, publicKeysOf, readKeptCheckpoint, type Checkpoint } from '../format/checkpoint.ts'
import { checkpointsName, listSegments, type Segment } from '../format/segments.ts'
import { CheckpointCursor, type PublicKeys } from './checkpoint-cursor.ts'
import { continues, diagnose, type Base } from './diagnose.ts'
import { Expectations } from './expectations.ts'
import { placedLines, rest, type PlacedLine } from './records.ts'
import type { Fault, Findings, RecordName, VerifyReport } from './report.ts'

export interface VerifyOptions {
  /** One PEM block, or several where the key was changed. Without it signatures are not checked, and nothing counts as signed. */
  readonly publicKeyPem?: string
  /** A checkpoint that was kept elsewhere, as JSON. */
  readonly head?: string
}

/**
 * May run beside the gateway that writes the log.
 * @throws TypeError when `publicKeyPem` holds no Ed25519 public key
 * @throws Error when the directory cannot be read
 */
export async function verifyLog(directory: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  await stat(directory)
  const keys = options.publicKeyPem === undefined ? undefined : publicKeysOf(options.publicKeyPem)
  const head = options.head === undefined ? undefined : readKeptCheckpoint(options.head)
  const badHead = options.head === undefined ? undefined : judgeHead(head, keys)
  if (badHead !== undefined) return { ok: false, ...badHead, ...emptyFindings }
  for (let attempt = 1; ; attempt++) {
    const before = await stateOf(directory)
    try {
      // The checkpoints first: each that is seen then names a record in a segment that is seen.
      const checkpoints = await CheckpointCursor.open(directory, keys)
      const report = await new Verification(await listSegments(directory), checkpoints, keys, head).run()
      if (report.ok || attempt === attempts || (await stateOf(directory)) === before) return report
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === attempts) throw error
    }
  }
}

/** A gateway at work starts, drops segments and trims checkpoints while they are read: a fault must show twice. */
const attempts = 3

async function stateOf(directory: string): Promise<string> {
  const paths = (await listSegments(directory)).map(({ path }) => path)
  const stats = [join(directory, checkpointsName), ...paths.slice(0, 1), ...paths.slice(-1)].map((path) =>
    stat(path).then(
      ({ ino, size }) => `${ino} ${size}`,
      () => 'none',
    ),
  )
  return (await Promise.all(stats)).join()
}

const emptyFindings: Findings = { records: 0, segments: 0, checkpoints: 0, head: 'none', notices: [] }

function judgeHead(head: Checkpoint | undefined, keys: PublicKeys | undefined): Fault | undefined {
  if (head === undefined)
    return { problem: 'bad_head', seq: 0, message: 'the kept checkpoint is not a checkpoint' }
  if (keys === undefined || isSignedBy(head, keys)) return undefined
  return { problem: 'bad_head', seq: head.seq, message: 'the kept checkpoint is not signed by the audit key' }
}

class Verification {
  readonly #segments: readonly Segment[]
  readonly #checkpoints: CheckpointCursor
  readonly #head: Checkpoint | undefined
  readonly #hasKeys: boolean
  readonly #expectations: Expectations
  #records = 0
  #first: Link | undefined
  #last: Link | undefined
  #signed: Checkpoint | undefined
  #torn = 0

  constructor(
    segments: readonly Segment[],
    checkpoints: CheckpointCursor,
    keys: PublicKeys | undefined,
    head: Checkpoint | undefined,
  ) {
    this.#segments = segments
    this.#checkpoints = checkpoints
    this.#head = head
    this.#hasKeys = keys !== undefined
    this.#expectations = new Expectations(this.#hasKeys)
  }

  async run(): Promise<VerifyReport> {
    const source = placedLines(this.#segments)
    try {
      const fault =
        (await this.#checkpoints.advance()) ??
        (await this.#walk(source)) ??
        (await this.#compareEnd()) ??
        this.#compareHead()
      return fault === undefined
        ? { ok: true, ...this.#findings() }
        : { ok: false, ...fault, ...this.#findings() }
    } finally {
      // A fault ends the walk in the middle: the files must not stay open.
      await source.return(undefined)
      await this.#checkpoints.close()
    }
  }

  async #walk(source: AsyncGenerator<PlacedLine[]>): Promise<Fault | undefined> {
    for (let batch = await source.next(); batch.done !== true; batch = await source.next()) {
      for (const [index, line] of batch.value.entries()) {
        if (line.torn > 0) {
          this.#torn = line.torn
          continue
        }
        const base = this.#base(line)
        if (line.link === undefined || !continues(base, line)) {
          return await diagnose(base, line, rest(batch.value.slice(index + 1), source))
        }
        // Only a checkpoint is awaited: most records are followed by another one within the same second.
        const isNamed = (this.#checkpoints.current?.seq ?? Infinity) <= line.link.seq
        const fault =
          this.#take(line, line.link) ?? (isNamed ? await this.#compareCheckpoints(line.link) : undefined)
        if (fault !== undefined) return fault
      }
    }
    return undefined
  }

  #base(line: PlacedLine): Base {
    const last = this.#last
    if (last !== undefined)
      return { seq: last.seq, hash: last.hash, isSigned: this.#signed?.seq === last.seq }
    // The first record: its file's name says which it is.
    const seq = line.segment.firstSeq - 1
    return { seq, hash: seq === 0 ? genesis : undefined, isSigned: false }
  }

  #take(line: PlacedLine, link: Link): Fault | undefined {
    this.#records++
    this.#first ??= link
    this.#last = link
    if (link.seq === this.#head?.seq && link.hash !== this.#head.hash) {
      return {
        problem: 'changed',
        seq: (this.#signed?.seq ?? 0) + 1,
        message: `record ${link.seq} is not the one that the kept checkpoint names: a record up to it was changed`,
      }
    }
    return this.#expectations.take(line, link, this.#signed?.seq)
  }

  /** Compares with the checkpoints up to a record. */
  async #compareCheckpoints(link: Link): Promise<Fault | undefined> {
    for (let named = this.#checkpoints.current; named !== undefined; named = this.#checkpoints.current) {
      if (named.seq > link.seq) return undefined
      const fault = this.#contradicts(named, link)
      if (fault !== undefined) return fault
      // Those of dropped records name nothing that is there.
      if (named.seq === link.seq) {
        this.#signed = named
        this.#expectations.sign(named.seq)
      }
      const next = await this.#checkpoints.advance()
      if (next !== undefined) return next
    }
    return undefined
  }

  #contradicts(named: Checkpoint, link: Link): Fault | undefined {
    const hash =
      named.seq === link.seq ? link.hash : named.seq === link.seq - 1 ? link.previousHash : named.hash
    if (hash === named.hash) return undefined
    const from = Math.min(named.seq, (this.#signed?.seq ?? (this.#first?.seq ?? 1) - 1) + 1)
    return {
      problem: 'changed',
      seq: from,
      message: `a record from ${from} to ${named.seq} was changed and all hashes computed anew: record ${named.seq} is not the one that was signed`,
    }
  }

  async #compareEnd(): Promise<Fault | undefined> {
    const named = this.#checkpoints.current
    const last = this.#last?.seq ?? 0
    if (named !== undefined) {
      return {
        problem: 'cut',
        seq: last + 1,
        message: `the log ends at record ${last}, and a signed checkpoint names record ${named.seq}`,
      }
    }
    return this.#expectations.finish({
      first: this.#first,
      last: this.#last,
      signed: this.#signed?.seq,
      checkpointsBeginning: this.#checkpoints.beginning,
    })
  }

  #compareHead(): Fault | undefined {
    const last = this.#last?.seq ?? 0
    if (this.#head === undefined || this.#head.seq <= last) return undefined
    return {
      problem: 'cut',
      seq: last + 1,
      message: `the log ends at record ${last}, and the kept checkpoint names record ${this.#head.seq}`,
    }
  }

  #findings(): Findings {
    const signedSeq = this.#hasKeys ? this.#signed?.seq : undefined
    const from = Math.max((signedSeq ?? 0) + 1, this.#first?.seq ?? 1)
    const to = this.#last?.seq ?? 0
    const isOlder = this.#head !== undefined && this.#head.seq < (this.#first?.seq ?? 1)
    return {
      records: this.#records,
      segments: this.#segments.length,
      checkpoints: this.#checkpoints.count,
      ...(this.#first !== undefined && { first: nameOf(this.#first) }),
      ...(this.#last !== undefined && { last: nameOf(this.#last) }),
      ...(this.#hasKeys && this.#signed !== undefined && { signed: nameOf(this.#signed) }),
      ...(to >= from && { unsigned: { from, to } }),
      ...((this.#first?.seq ?? 1) > 1 && { retained: (this.#first?.seq ?? 1) - 1 }),
      head: this.#head === undefined ? 'none' : isOlder ? 'older-than-log' : 'holds',
      ...(this.#torn > 0 && { torn: this.#torn }),
      notices: this.#notices(isOlder),
    }
  }

  #notices(isHeadOlder: boolean): string[] {
    return [
      ...(this.#hasKeys ? [] : ['no public key was given: signatures are not checked, only the chain is']),
      ...(this.#head === undefined
        ? ['without a checkpoint kept elsewhere (--head) a cut tail cannot be excluded']
        : []),
      ...(isHeadOlder
        ? ['the kept checkpoint is older than the log that is left: it says nothing about its tail']
        : []),
      ...(this.#torn > 0
        ? [`the last line is unfinished (${this.#torn} bytes): a writer at work, or a crash`]
        : []),
    ]
  }
}

function nameOf({ seq, hash, time }: RecordName): RecordName {
  return { seq, hash, time }
}
