import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { Command, CommanderError } from 'commander'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { admitted, logFolder, refused, writtenLog, type LogFolder } from '../../audit/testing/log.ts'
import { CommandError, type CliContext } from '../context.ts'
import { registerAudit } from './audit.ts'

let folder: LogFolder
let publicKey: string

beforeEach(async () => {
  folder = await logFolder()
  const log = await folder.open()
  await log.record(admitted(1))
  await log.record(refused(2))
  await log.record(admitted(3, { path: '/\u001b[31mred' }))
  await log.close()
  publicKey = join(folder.directory, '..', 'audit.pub')
  await writeFile(publicKey, log.publicKeyPem)
})
afterEach(() => folder[Symbol.asyncDispose]())

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

class Collector extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

/** Runs a command line as `main` does. */
async function run(args: readonly string[], stdout: Writable = new Collector()): Promise<Outcome> {
  const stderr = new Collector()
  const context: CliContext = {
    env: {},
    cwd: join(folder.directory, '..'),
    stdin: new PassThrough(),
    stdout,
    stderr,
  }
  const program = new Command().option('--config <file>').exitOverride()
  program.configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
  registerAudit(program, context)
  for (const each of program.commands.flatMap((command) => [command, ...command.commands])) {
    each.exitOverride().copyInheritedSettings(program)
  }
  let code = 0
  try {
    await program.parseAsync(['audit', ...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommandError) {
      stderr.write(error.message)
      code = error.exitCode
    } else if (error instanceof CommanderError) code = error.exitCode === 0 ? 0 : 2
    else throw error
  }
  return { code, out: stdout instanceof Collector ? stdout.text : '', err: stderr.text }
}

const here = (...args: string[]): Promise<Outcome> => run([...args, '--directory', 'audit'])

describe('audit tail', () => {
  it('prints the last events in columns, harmless for a terminal', async () => {
    const { code, out } = await here('tail', '-n', '4')
    expect(code).toBe(0)
    const lines = out.trimEnd().split('\n')
    expect(lines).toHaveLength(5)
    expect(lines[0]).toMatch(/^TIME +OUTCOME +STATUS +REASON +SUBJECT +REQUEST$/)
    expect(lines[2]).toMatch(
      /^2026-11-24T16:00:00.002Z +refuse +401 +token_signature +- +GET \/catalog\/items\/2 from/,
    )
    expect(lines[3]).toContain('GET /\\x1b[31mred')
    expect(lines[0]?.indexOf('REQUEST')).toBe(lines[2]?.indexOf('GET'))
  })

  it('prints JSON lines with --json', async () => {
    const { out } = await here('tail', '--json')
    const records = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number })
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
  })

  it('is wrong usage with a count that is none', async () => {
    expect(await here('tail', '-n', 'many')).toMatchObject({
      code: 2,
      err: expect.stringContaining('whole number'),
    })
  })

  it('ends in peace when its reader goes away', async () => {
    await writtenLog(folder, 500)
    let taken = 0
    const head = new Writable({
      highWaterMark: 1,
      write(_chunk, _encoding, done) {
        taken++
        done(taken === 3 ? Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }) : undefined)
      },
    })
    expect(await run(['tail', '-n', '400', '--directory', 'audit'], head)).toMatchObject({ code: 0, err: '' })
    expect(taken).toBe(3)
  })

  it('ends a --follow when its reader goes away', async () => {
    const out = new PassThrough()
    const followed = run(['tail', '--follow', '--directory', 'audit'], out)
    setTimeout(() => out.destroy(), 300)
    expect(await followed).toMatchObject({ code: 0 })
  })
})

describe('audit query', () => {
  it('finds events, as text and as one JSON array', async () => {
    const text = await here('query', '--outcome', 'refuse')
    expect(text.out.trimEnd().split('\n')).toHaveLength(2)
    const json = await here('query', '--reason', 'credential_invalid', '--json')
    expect(JSON.parse(json.out)).toMatchObject([{ requestId: 'request-2', reason: 'token_signature' }])
    expect(JSON.parse((await here('query', '--subject', 'nobody', '--json')).out)).toEqual([])
  })

  it('takes every condition of the contract', async () => {
    const { code, out } = await here(
      'query', '--since', '2026-11-24T16:00:00Z', '--until', '2026-11-25', '--subject', 'user-1', '--route',
      'catalog-read', '--outcome', 'allow', '--request-id', 'request-1', '--limit', '5', '--json',
    ) // prettier-ignore
    expect([code, (JSON.parse(out) as unknown[]).length]).toEqual([0, 1])
  })

  it('is wrong usage with a time or an outcome that is none', async () => {
    expect(await here('query', '--since', 'yesterday')).toMatchObject({ code: 2 })
    expect(await here('query', '--outcome', 'perhaps')).toMatchObject({ code: 2 })
  })
})

describe('audit verify', () => {
  it('succeeds on an untouched log, and says what it cannot exclude', async () => {
    const { code, out } = await here('verify', '--public-key', 'audit.pub')
    expect(code).toBe(0)
    expect(out).toMatch(/^records {3}5 \(1 to 5\), 1 segment$/m)
    expect(out).toContain('a cut tail cannot be excluded')
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/^ok/)
  })

  it('proves the tail with the head that `audit head` printed', async () => {
    const { out: head } = await here('head')
    await writeFile(join(folder.directory, '..', 'head.json'), head)
    const { code, out } = await here('verify', '--public-key', 'audit.pub', '--head', 'head.json')
    expect([code, out]).toEqual([0, expect.stringContaining('the kept checkpoint holds')])
    expect(out).not.toContain('cannot be excluded')
  })

  it('fails on a changed log, naming the record, in text and in JSON', async () => {
    const lines = await folder.lines()
    await folder.rewrite(
      'audit-0000000000000001.jsonl',
      lines.with(2, (lines[2] as string).replace('GET', 'PUT')),
    )
    const text = await here('verify', '--public-key', 'audit.pub')
    expect(text).toMatchObject({ code: 1, err: 'the audit log does not hold: changed at record 3' })
    expect(text.out).toContain('FAILED: changed: record 3')
    const json = await here('verify', '--public-key', 'audit.pub', '--json')
    expect(json.code).toBe(1)
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, problem: 'changed', seq: 3, line: 3 })
  })

  it('is wrong usage without a key, and fails with a key that is none', async () => {
    expect(await here('verify')).toMatchObject({ code: 2, err: expect.stringContaining('--public-key') })
    await writeFile(publicKey, 'nonsense')
    expect(await here('verify', '--public-key', 'audit.pub')).toMatchObject({
      code: 1,
      err: expect.stringContaining('audit.pub: no PEM "PUBLIC KEY" block'),
    })
    expect(await here('verify', '--public-key', 'nowhere.pub')).toMatchObject({ code: 1 })
  })
})

describe('audit export', () => {
  it('writes the lines as they are, to standard output or to a file of its owner', async () => {
    const lines = `${(await folder.lines()).join('\n')}\n`
    expect(await here('export')).toMatchObject({ code: 0, out: lines })
    expect(await here('export', '--output', 'copy.jsonl')).toMatchObject({ code: 0, out: '' })
    const copy = join(folder.directory, '..', 'copy.jsonl')
    expect(await readFile(copy, 'utf8')).toBe(lines)
    expect((await stat(copy)).mode & 0o777).toBe(0o600)
  })

  it('writes CSV', async () => {
    const { out } = await here('export', '--format', 'csv')
    expect(out.split('\r\n')).toHaveLength(7)
  })

  it('fails with words where it cannot write', async () => {
    expect(await here('export', '--output', 'no/such/folder/x')).toMatchObject({
      code: 1,
      err: expect.stringContaining('cannot write no/such/folder/x'),
    })
  })
})

describe('audit reindex', () => {
  it('builds the index, and says how much it holds', async () => {
    expect(await here('reindex')).toMatchObject({ code: 0, out: 'the index holds 5 events\n' })
    expect(JSON.parse((await here('reindex', '--json')).out)).toEqual({ events: 5 })
  })
})

it('says where there is no audit log', async () => {
  for (const command of ['tail', 'query', 'export', 'head', 'reindex']) {
    const { code, err } = await run([command, '--directory', 'nowhere'])
    expect([code, err]).toEqual([1, expect.stringContaining('there is no audit log in')])
  }
})
