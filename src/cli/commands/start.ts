import type { Command } from 'commander'
import { startGateway } from '../../main.ts'
import { createLog } from '../../telemetry/log.ts'
import { CommandError, loadOrExplain, paint, print, printJson, warn, type CliContext } from '../context.ts'
import { untilStopped } from '../signals.ts'

export function registerStart(program: Command, context: CliContext): void {
  program
    .command('start')
    .description('run the gateway; SIGTERM drains, SIGHUP or a changed file reloads')
    .option('--no-watch', 'do not reload when the configuration changes on disk')
    .option('--json', 'print one line of JSON with the addresses once it is ready')
    .action(async (options: { watch: boolean; json?: boolean }, command: Command) => {
      const { config } = command.optsWithGlobals<{ config?: string }>()
      const loaded = await loadOrExplain(context, config)
      for (const notice of loaded.notices) warn(context, `note: ${notice}`)
      const level = context.env['PORTCULLIS_LOG_LEVEL']
      const log = createLog(level === undefined ? {} : { level })
      // One request's bug must not end everybody's gateway; the request itself was answered, or times out.
      process.on('unhandledRejection', (error) => log.error({ err: error }, 'a promise failed unseen'))
      const gateway = await startGateway({ loaded, env: context.env, watch: options.watch, log }).catch(
        (error: unknown) => {
          throw asCommandError(error)
        },
      )
      process.on('SIGHUP', () => void gateway.reload())
      if (options.json === true) {
        printJson(context, { listeners: gateway.listenerUrls, admin: gateway.adminUrl, config: loaded.file })
      } else {
        print(
          context,
          `Portcullis listens on ${gateway.listenerUrls.map((url) => paint(context, 'cyan', url)).join(', ')}`,
        )
        print(context, `  admin   ${gateway.adminUrl}   ${gateway.adminNote}`)
        print(context, `  config  ${loaded.file}`)
      }
      await untilStopped()
      await gateway.stop()
    })
}

/** Faults of starting (a taken port, a locked log) are for people; anything else is a bug and keeps its stack. */
function asCommandError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL')
    return new CommandError(`cannot listen: ${message}`)
  return error instanceof Error ? new CommandError(`cannot start: ${message}`) : error
}
