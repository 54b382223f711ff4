/** The command line: registers the commands, and turns every failure into one readable message and an exit code. */
import { Command, CommanderError } from 'commander'
import { packageVersion } from '../gateway/version.ts'
import { CommandError, type CliContext } from './context.ts'

/** Commands that run until they are told to stop. */
const services: ReadonlySet<string> = new Set(['start', 'dev'])

/** Runs one command line; sets the process's exit code: 0 success, 1 a failed check or operation, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<void> {
  const context: CliContext = {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
  }
  // `portcullis audit tail | head` closes the pipe early: that is no failure. A gateway must outlive whoever read its output.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    if (!services.has(argv.find((word) => !word.startsWith('-')) ?? '')) process.exit(0)
  })
  process.exitCode = await run(argv, context)
}

/** @returns the exit code */
export async function run(argv: readonly string[], context: CliContext): Promise<number> {
  try {
    const program = buildProgram(context, await loadCommands(argv))
    await program.parseAsync([...argv], { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof CommandError) {
      context.stderr.write(`${error.message}\n`)
      return error.exitCode
    }
    throw error
  }
}

function buildProgram(context: CliContext, registers: readonly Register[]): Command {
  const program = new Command('portcullis')
    .description('An API gateway whose first job is authentication.')
    .version(packageVersion())
    .option('--config <file>', 'the configuration (default: portcullis.yaml, then portcullis.config.ts)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
    .showSuggestionAfterError(true)
    .showHelpAfterError('(--help shows what it takes)')
    .exitOverride()
  for (const register of registers) register(program, context)
  for (const command of allCommands(program)) {
    command
      .exitOverride()
      .showHelpAfterError('(--help shows what it takes)')
      .configureHelp({ showGlobalOptions: true })
  }
  return program
}

type Register = (program: Command, context: CliContext) => void

/** In the order of the help. Only the command that is asked for is loaded: a gateway's modules are not needed to list keys. */
const commands: Readonly<Record<string, () => Promise<Register>>> = {
  start: async () => (await import('./commands/start.ts')).registerStart,
  dev: async () => (await import('./commands/dev.ts')).registerDev,
  init: async () => (await import('./commands/init.ts')).registerInit,
  check: async () => (await import('./commands/check.ts')).registerCheck,
  keys: async () => (await import('./commands/keys.ts')).registerKeys,
  revoke: async () => (await import('./commands/revoke.ts')).registerRevoke,
  audit: async () => (await import('./commands/audit.ts')).registerAudit,
  providers: async () => (await import('./commands/providers.ts')).registerProviders,
}

async function loadCommands(argv: readonly string[]): Promise<readonly Register[]> {
  const asked = argv.find((word) => Object.hasOwn(commands, word))
  const loaders = asked === undefined || argv.includes('help') ? Object.values(commands) : [commands[asked]!]
  return Promise.all(loaders.map((load) => load()))
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...allCommands(each)])
}
