/** Where provider commands look: at a running gateway, or at the providers themselves, asked from here. */
import type { Command } from 'commander'
import { viewOfProvider, type ProviderView } from '../../gateway/provider-view.ts'
import type { Clock } from '../../ports/clock.ts'
import { createProvider, type Provider } from '../../remote/provider.ts'
import { CommandError, loadOrExplain, warn, type CliContext } from '../context.ts'
import { connectToAdmin, type ProviderDesk } from './admin-client.ts'
import type { DeskOptions } from './desk.ts'

export async function atProviderDesk(
  context: CliContext,
  command: Command,
  work: (desk: ProviderDesk) => Promise<void>,
): Promise<void> {
  const { admin, config } = command.optsWithGlobals<DeskOptions>()
  if (admin !== undefined) {
    await work(connectToAdmin(admin, context.env['PORTCULLIS_ADMIN_TOKEN']).providers)
    return
  }
  const loaded = await loadOrExplain(context, config, { standIns: true })
  for (const notice of loaded.notices.filter((each) => each.startsWith('providers')))
    warn(context, `note: ${notice}`)
  const { configuration } = loaded
  const providers = new Map<string, Provider>()
  const open = (name: string): Provider => {
    const settings = Object.hasOwn(configuration.providers, name) ? configuration.providers[name] : undefined
    if (settings === undefined) throw new CommandError(`there is no provider "${name}"`)
    const opened = providers.get(name) ?? createProvider(settings, { clock, prefetch: false })
    providers.set(name, opened)
    return opened
  }
  const refresh = async (name: string): Promise<ProviderView> => {
    const provider = open(name)
    await provider.refresh()
    return viewOfProvider(provider, configuration, clock.now())
  }
  try {
    await work({ refresh, list: () => Promise.all(Object.keys(configuration.providers).map(refresh)) })
  } finally {
    for (const provider of providers.values()) provider.close()
  }
}

const clock: Clock = { now: () => Date.now() }
