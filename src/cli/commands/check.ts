import { existsSync } from 'node:fs'
import { Option, type Command } from 'commander'
import { formatFaults, loadConfiguration } from '../../config/load.ts'
import { lint } from '../../config/lint/lint.ts'
import { formatFindings, type FindingFormat } from '../../config/lint/report.ts'
import { checksAcrossRooms, shadowFindings } from '../../gateway/checks.ts'
import type { Clock } from '../../ports/clock.ts'
import { auditProviders } from '../../remote/audit/audit.ts'
import { onlineRules } from '../../remote/audit/findings.ts'
import { openStore } from '../../stores/open.ts'
import { CommandError, findConfigurationFile, print, warn, type CliContext } from '../context.ts'

interface CheckOptions {
  readonly format: FindingFormat
  readonly failOn: 'error' | 'warning'
  readonly strict?: boolean
  readonly online?: boolean
  readonly json?: boolean
}

export function registerCheck(program: Command, context: CliContext): void {
  program
    .command('check')
    .description(
      'validate the configuration and find what is weak in it; needs no secret and, without --online, no network',
    )
    .addOption(
      new Option('--format <format>', 'how to print')
        .choices(['text', 'json', 'sarif', 'github'])
        .default('text'),
    )
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 from this severity on')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .option('--strict', 'refuse unresolved secrets and unreadable key files instead of standing in for them')
    .option('--online', 'also audit each identity provider')
    .option('--json', 'the same as --format json')
    .action(async (options: CheckOptions, command: Command) => {
      const { config } = command.optsWithGlobals<{ config?: string }>()
      const format = options.json === true ? 'json' : options.format
      await check(context, findConfigurationFile(context, config), { ...options, format })
    })
}

async function check(context: CliContext, file: string, options: CheckOptions): Promise<void> {
  const loaded = await loadConfiguration(file, {
    env: context.env,
    standIns: options.strict !== true,
    extraChecks: [checksAcrossRooms],
  })
  if (!loaded.ok) {
    if (options.format === 'text')
      throw new CommandError(
        `${formatFaults(loaded.faults)}\n\n${count(loaded.faults.length, 'fault')} in the configuration`,
      )
    print(context, formatFindings({ file, faults: loaded.faults, findings: [] }, options.format))
    process.exitCode = 1
    return
  }
  for (const notice of loaded.notices) warn(context, `note: ${notice}`)
  const findings = lint(loaded, {
    nodeVersion: process.version,
    keysWithoutExpiry: await countKeysWithoutExpiry(loaded.configuration.store.path),
    more: [
      ...shadowFindings(loaded.configuration),
      ...(options.online === true ? await auditProviders(loaded.configuration, clock) : []),
    ],
  })
  const moreRules = options.online === true ? onlineRules : []
  print(context, formatFindings({ file, faults: [], findings, moreRules }, options.format))
  const isFatal = findings.some(
    ({ severity }) => severity === 'error' || (options.failOn === 'warning' && severity === 'warning'),
  )
  if (isFatal) process.exitCode = 1
}

const clock: Clock = { now: () => Date.now() }

const page = 1000
/** A warning needs no exact number of millions. */
const enough = 100_000

/** Looks only into a store that is there already: a check must not make one. */
async function countKeysWithoutExpiry(path: string): Promise<number> {
  if (!existsSync(path)) return 0
  const store = await openStore(path, { clock })
  try {
    let found = 0
    let after: string | undefined
    for (let seen = 0; seen < enough; seen += page) {
      const keys = await store.apiKeys.list({ limit: page, ...(after === undefined ? {} : { after }) })
      found += keys.filter((key) => key.expiresAt === undefined && key.revokedAt === undefined).length
      after = keys.at(-1)?.id
      if (keys.length < page) break
    }
    return found
  } finally {
    await store.close()
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
