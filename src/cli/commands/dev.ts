import { resolve } from 'node:path'
import { InvalidArgumentError, type Command } from 'commander'
import { mintFromState } from '../../dev-idp/mint.ts'
import { CommandError, print, printJson, type CliContext } from '../context.ts'
import { printBanner } from '../dev/banner.ts'
import { devFolder } from '../dev/layout.ts'
import { runDev } from '../dev/run.ts'
import { untilStopped } from '../signals.ts'

export function registerDev(program: Command, context: CliContext): void {
  const dev = program
    .command('dev')
    .description(
      'run the whole thing on this machine: gateway, OpenID provider, sample catalog, seeded API key',
    )
    .option('--dir <dir>', 'keep the state there (default: a fresh temporary folder)')
    .option('--port <n>', 'port of the gateway; 0 picks free ones', parsePort, 8080)
    .option('--json', 'print first one line of JSON with all addresses and credentials')
    .action(async (options: { dir?: string; port: number; json?: boolean }) => {
      const running = await runDev(context, { dir: options.dir, port: options.port })
      if (options.json === true) context.stdout.write(`${JSON.stringify(running.facts)}\n`)
      else printBanner(context, running.facts)
      await untilStopped()
      await running.stop()
    })

  dev
    .command('token')
    .description('print a fresh access token of one of the users')
    .argument('<user>', 'viewer, editor or admin')
    .option('--dir <dir>', 'the folder that portcullis dev keeps its state in (required)')
    .option('--json', 'print {"user": …, "token": …}')
    .action(async (user: string, _own: object, command: Command) => {
      // `dev` has options of the same names, and takes them wherever they stand.
      const { dir, json } = command.optsWithGlobals<{ dir?: string; json?: boolean }>()
      if (dir === undefined) command.error("error: required option '--dir <dir>' not specified")
      const token = await mint(resolve(context.cwd, dir), user)
      if (json === true) printJson(context, { user, token })
      else print(context, token)
    })
}

async function mint(dir: string, user: string): Promise<string> {
  try {
    return await mintFromState(devFolder(dir).providerState, user)
  } catch (error) {
    throw new CommandError((error as Error).message)
  }
}

function parsePort(value: string): number {
  const port = Number(value)
  if (/^\d{1,5}$/.test(value) && port <= 65_535) return port
  throw new InvalidArgumentError('expected a port from 0 to 65535.')
}
