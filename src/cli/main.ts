/** The command line: registers the commands, and turns every failure into one readable message and an exit code. */
import { Command, CommanderError } from 'commander'
import { registerAudit } from './commands/audit.ts'
import { registerCheck } from './commands/check.ts'
import { registerDev } from './commands/dev.ts'
import { registerInit } from './commands/init.ts'
import { registerKeys } from './commands/keys.ts'
import { registerRevoke } from './commands/revoke.ts'
import { registerStart } from './commands/start.ts'
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
    await buildProgram(context).parseAsync([...argv], { from: 'user' })
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

function buildProgram(context: CliContext): Command {
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
  for (const register of commands) register(program, context)
  for (const command of allCommands(program)) {
    command
      .exitOverride()
      .showHelpAfterError('(--help shows what it takes)')
      .configureHelp({ showGlobalOptions: true })
  }
  return program
}

const commands: readonly ((program: Command, context: CliContext) => void)[] = [
  registerStart,
  registerDev,
  registerInit,
  registerCheck,
  registerKeys,
  registerRevoke,
  registerAudit,
]

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((each) => [each, ...allCommands(each)])
}
