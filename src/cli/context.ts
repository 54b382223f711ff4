/** What commands share: the process around them, so that tests can stand another one in. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { styleText } from 'node:util'
import { formatFaults, loadConfiguration, type LoadedConfiguration } from '../config/load.ts'
import { checksAcrossRooms } from '../gateway/checks.ts'

export interface CliContext {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/** A failure that a person reads: printed without a stack, exit 1 (or 2 for wrong usage). */
export class CommandError extends Error {
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

export const configurationNames: readonly string[] = ['portcullis.yaml', 'portcullis.config.ts']

/** @returns the configuration file that a command works with: the given one, else the first usual name in the working folder */
export function findConfigurationFile(context: CliContext, given: string | undefined): string {
  if (given !== undefined) {
    const file = resolve(context.cwd, given)
    if (!existsSync(file)) throw new CommandError(`${given}: no such file`)
    return file
  }
  const found = configurationNames.map((name) => resolve(context.cwd, name)).find((file) => existsSync(file))
  if (found !== undefined) return found
  throw new CommandError(
    `no ${configurationNames.join(' or ')} in ${context.cwd}; name one with --config FILE, or make one with: portcullis init`,
  )
}

export interface LoadOptions {
  /** Stand in for secrets that are not there (`check` and the like need none). */
  readonly standIns?: boolean
}

/** Loads and validates; every fault at once in one error. */
export async function loadOrExplain(
  context: CliContext,
  given: string | undefined,
  options: LoadOptions = {},
): Promise<LoadedConfiguration> {
  const file = findConfigurationFile(context, given)
  const result = await loadConfiguration(file, {
    env: context.env,
    extraChecks: [checksAcrossRooms],
    ...options,
  })
  if (result.ok) return result
  const count = result.faults.length === 1 ? '1 fault' : `${result.faults.length} faults`
  throw new CommandError(`${formatFaults(result.faults)}\n\n${count} in the configuration`)
}

export function printJson(context: CliContext, value: unknown): void {
  context.stdout.write(`${JSON.stringify(value, undefined, context.stdout.isTTY === true ? 2 : undefined)}\n`)
}

export function print(context: CliContext, line = ''): void {
  context.stdout.write(`${line}\n`)
}

export function warn(context: CliContext, line: string): void {
  context.stderr.write(`${line}\n`)
}

/** Colour only on a terminal that wants it (NO_COLOR, https://no-color.org). */
export function paint(context: CliContext, style: Parameters<typeof styleText>[0], value: string): string {
  const wants = context.stdout.isTTY === true && (context.env['NO_COLOR'] ?? '') === ''
  return wants ? styleText(style, value, { validateStream: false }) : value
}

/** Reads a secret argument: `-` is standard input, `@FILE` a file, anything else the literal (with a warning: shells keep histories). */
export async function readSecretArgument(
  context: CliContext,
  option: string,
  value: string,
): Promise<string> {
  if (value === '-') return (await text(context.stdin)).replace(/\r?\n$/, '')
  if (value.startsWith('@')) {
    const file = resolve(context.cwd, value.slice(1))
    try {
      return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
    } catch {
      throw new CommandError(`${option}: cannot read ${file}`)
    }
  }
  warn(context, `warning: ${option} was given as a literal; prefer - (standard input) or @FILE`)
  return value
}
