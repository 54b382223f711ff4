/** `portcullis audit`: reads, searches, proves and copies out the audit log. Works on the files, whether a gateway runs or not. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { publicKeysOf } from '../../audit/format/checkpoint.ts'
import { rebuildIndex } from '../../audit/index/rebuild.ts'
import { readPublicKeyPem } from '../../audit/key.ts'
import { exportFormats, exportLog, type ExportFormat } from '../../audit/read/export.ts'
import { readHead } from '../../audit/read/head.ts'
import { queryAudit, type AuditQuery } from '../../audit/read/query.ts'
import { renderedHeader, renderJson, renderRecord } from '../../audit/read/render.ts'
import { tailAudit } from '../../audit/read/tail.ts'
import { parseTime } from '../../audit/read/time.ts'
import { renderReport } from '../../audit/verify/render.ts'
import { verifyLog, type VerifyOptions } from '../../audit/verify/verify.ts'
import { CommandError, loadOrExplain, print, printJson, warn, type CliContext } from '../context.ts'
import { writeAll } from './audit-output.ts'

const outcomes = ['allow', 'refuse', 'would-refuse', 'record'] as const

export function registerAudit(program: Command, context: CliContext): void {
  const audit = program.command('audit').description('read, search and verify the audit log')
  registerTail(audit, context)
  registerQuery(audit, context)
  registerVerify(audit, context)
  registerExport(audit, context)
  registerHead(audit, context)
  registerReindex(audit, context)
  for (const command of audit.commands) {
    command.option('--directory <dir>', 'the audit directory (default: the one in the configuration)')
  }
}

interface CommonOptions {
  readonly config?: string
  readonly directory?: string
  readonly json?: boolean
}

function registerTail(audit: Command, context: CliContext): void {
  audit
    .command('tail')
    .description('print the last events')
    .option('-n, --lines <count>', 'how many', parseCount, 10)
    .option('-f, --follow', 'go on with new events as they come')
    .option('--json', 'print JSON lines')
    .action(async (options: { lines: number; follow?: boolean; json?: boolean }, command: Command) => {
      const { directory } = await locate(command, context)
      const { lines, follow = false, json = false } = options
      await writeAll(context, async function* (signal) {
        if (!json) yield `${renderedHeader}\n`
        for await (const record of tailAudit(directory, { lines, follow, signal })) {
          yield `${json ? renderJson(record) : renderRecord(record)}\n`
        }
      })
    })
}

interface QueryOptions extends Omit<AuditQuery, 'outcome'> {
  readonly outcome?: (typeof outcomes)[number]
  readonly json?: boolean
}

function registerQuery(audit: Command, context: CliContext): void {
  audit
    .command('query')
    .description('find events; all conditions must hold')
    .addOption(timeOption('--since <time>', 'not before'))
    .addOption(timeOption('--until <time>', 'before'))
    .option('--subject <subject>', 'whose requests')
    .option('--route <id>', 'on which route')
    .addOption(new Option('--outcome <outcome>', 'what was decided').choices(outcomes))
    .option('--reason <reason>', 'why: the public code or the finer word')
    .option('--request-id <id>', 'one request')
    .option('--limit <count>', 'the newest so many', parseCount, 100)
    .option('--json', 'print a JSON array')
    .action(async ({ json = false, ...query }: QueryOptions, command: Command) => {
      const { directory } = await locate(command, context)
      const { records, notice } = await queryAudit(directory, query)
      if (notice !== undefined) warn(context, notice)
      await writeAll(context, function* () {
        if (json) yield `[${records.map((record) => `\n${renderJson(record)}`).join(',')}\n]\n`
        else for (const line of [renderedHeader, ...records.map(renderRecord)]) yield `${line}\n`
      })
      if (!json && records.length === 0) warn(context, 'no events match')
    })
}

function registerVerify(audit: Command, context: CliContext): void {
  audit
    .command('verify')
    .description(
      'prove that nothing was changed, dropped, swapped or inserted, or name the first record that was',
    )
    .option(
      '--public-key <file>',
      "the audit key's public half, PEM (default: the one of the configured key)",
    )
    .option(
      '--head <file>',
      'a checkpoint that was kept elsewhere (audit head): proves that the tail was not cut',
    )
    .option('--json', 'print the whole report')
    .action(async (options: { publicKey?: string; head?: string; json?: boolean }, command: Command) => {
      const place = await locate(command, context)
      const report = await verifyLog(place.directory, await verifyOptions(context, place, options))
      if (options.json === true) printJson(context, report)
      else for (const line of renderReport(report)) print(context, line)
      if (!report.ok)
        throw new CommandError(`the audit log does not hold: ${report.problem} at record ${report.seq}`)
    })
}

async function verifyOptions(
  context: CliContext,
  { keyPath }: Place,
  { publicKey, head }: { publicKey?: string; head?: string },
): Promise<VerifyOptions> {
  const kept = head === undefined ? {} : { head: await readGiven(context, '--head', head) }
  if (publicKey !== undefined) {
    return { ...kept, publicKeyPem: await readPublicKeys(context, publicKey) }
  }
  if (keyPath === undefined) {
    throw new CommandError('with --directory, --public-key FILE is needed: hashes alone prove nothing', 2)
  }
  try {
    const publicKeyPem = await readPublicKeyPem(keyPath)
    warn(
      context,
      `notice: verifying with the public half of ${keyPath}; a copy kept elsewhere (--public-key) proves more`,
    )
    return { ...kept, publicKeyPem }
  } catch (error) {
    throw new CommandError(`cannot read the audit key: ${(error as Error).message}; give --public-key FILE`)
  }
}

async function readPublicKeys(context: CliContext, file: string): Promise<string> {
  const pem = await readGiven(context, '--public-key', file)
  try {
    publicKeysOf(pem)
    return pem
  } catch (error) {
    throw new CommandError(`--public-key: ${file}: ${(error as Error).message}`)
  }
}

async function readGiven(context: CliContext, option: string, file: string): Promise<string> {
  try {
    return await readFile(resolve(context.cwd, file), 'utf8')
  } catch (error) {
    throw new CommandError(`${option}: cannot read ${file}: ${(error as Error).message}`)
  }
}

function registerExport(audit: Command, context: CliContext): void {
  audit
    .command('export')
    .description('copy a span of the log out')
    .addOption(timeOption('--since <time>', 'not before'))
    .addOption(timeOption('--until <time>', 'before'))
    .addOption(
      new Option('--format <format>', 'jsonl keeps every byte').choices(exportFormats).default('jsonl'),
    )
    .option('--output <file>', 'where to (default: standard output)')
    .action(
      async (
        options: { since?: number; until?: number; format: ExportFormat; output?: string },
        command: Command,
      ) => {
        const { directory } = await locate(command, context)
        const { output, ...span } = options
        await writeAll(context, () => exportLog(directory, span), output)
      },
    )
}

function registerHead(audit: Command, context: CliContext): void {
  audit
    .command('head')
    .description('print the last checkpoint; kept elsewhere, it later proves that the log was not cut')
    .option('--json', 'as it is printed anyway')
    .action(async (_options: { json?: boolean }, command: Command) => {
      const { directory } = await locate(command, context)
      const head = await readHead(directory)
      if (head === undefined) throw new CommandError(`there is no checkpoint in ${directory} yet`)
      print(context, head)
    })
}

function registerReindex(audit: Command, context: CliContext): void {
  audit
    .command('reindex')
    .description('build the index anew from the log')
    .option('--json', 'print {"events": …}')
    .action(async (options: { json?: boolean }, command: Command) => {
      const { directory } = await locate(command, context)
      const events = rebuildIndex(directory)
      if (options.json === true) printJson(context, { events })
      else print(context, `the index holds ${events} events`)
    })
}

interface Place {
  readonly directory: string
  /** Of the configured audit key; undefined with `--directory`. */
  readonly keyPath?: string
}

async function locate(command: Command, context: CliContext): Promise<Place> {
  const { config, directory } = command.optsWithGlobals<CommonOptions>()
  const place =
    directory === undefined
      ? await configured(context, config)
      : { directory: resolve(context.cwd, directory) }
  if (existsSync(place.directory)) return place
  throw new CommandError(`there is no audit log in ${place.directory}`)
}

async function configured(context: CliContext, config: string | undefined): Promise<Place> {
  const { configuration } = await loadOrExplain(context, config, { standIns: true })
  if (configuration.audit === 'off') {
    throw new CommandError(
      'this configuration writes no audit log (audit: off); name one with --directory DIR',
    )
  }
  return { directory: configuration.audit.directory, keyPath: configuration.audit.key }
}

function timeOption(flags: string, which: string): Option {
  return new Option(
    flags,
    `${which}: 2026-11-24T16:00:00Z, 2026-11-24, or how long ago (15m, 12h, 7d)`,
  ).argParser((text) => {
    const time = parseTime(text, Date.now())
    if (time === undefined)
      throw new InvalidArgumentError('expected a time such as 2026-11-24T16:00:00Z, or 15m, 12h, 7d')
    return time
  })
}

function parseCount(text: string): number {
  if (!/^[0-9]{1,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number, at most 999999')
  return Number(text)
}
