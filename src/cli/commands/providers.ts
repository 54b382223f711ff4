/** `portcullis providers`: the state of each identity provider, and their keys now. */
import type { Command } from 'commander'
import type { ProviderView } from '../../gateway/provider-view.ts'
import { CommandError, print, printJson, type CliContext } from '../context.ts'
import { renderProvider } from '../credentials/render-provider.ts'
import { atProviderDesk } from '../credentials/provider-desk.ts'

interface ProviderOptions {
  readonly json?: boolean
}

export function registerProviders(program: Command, context: CliContext): void {
  const providers = program
    .command('providers')
    .description('show identity providers and their keys; without --admin they are asked from here, and now')
    .option(
      '--admin <url>',
      'what the running gateway at URL knows; its token is read from PORTCULLIS_ADMIN_TOKEN',
    )
    .option('--json', 'print JSON')
  providers
    .command('list')
    .description('the state of each: keys with their first and last sighting, client secrets, the last fault')
    .action(async (_own: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<ProviderOptions>()
      await atProviderDesk(context, command, async (desk) => {
        const views = await desk.list()
        if (json === true) return printJson(context, views)
        if (views.length === 0) return print(context, 'no providers are configured')
        print(context, views.map((view) => renderProvider(view)).join('\n\n'))
      })
    })
  providers
    .command('refresh')
    .argument('<name>', 'as it stands under `providers`')
    .description('fetch its metadata and keys now; exit 1 when they cannot be had')
    .action(async (name: string, _own: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<ProviderOptions>()
      await atProviderDesk(context, command, async (desk) => {
        const view = await desk.refresh(name)
        if (json === true) printJson(context, view)
        else print(context, renderProvider(view))
        failUnlessFetched(view)
      })
    })
}

/** Old keys may still serve, and what was asked for was to fetch new ones. */
function failUnlessFetched({ name, lastError }: ProviderView): void {
  if (lastError !== undefined) throw new CommandError(`the keys of ${name} cannot be fetched: ${lastError}`)
}
