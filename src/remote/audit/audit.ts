import type { Configuration } from '../../configuration.ts'
import type { Clock } from '../../ports/clock.ts'
import { auditProvider } from './audit-provider.ts'
import type { OnlineFinding } from './findings.ts'
import { needsOf } from './needs.ts'

/**
 * Asks each provider of a configuration what it is like, all at once. Reads only what anybody may read: no credential of
 * the gateway's is tried, and nothing is changed.
 * @returns findings in the order of the providers; never rejects because of one of them
 */
export async function auditProviders(
  configuration: Pick<Configuration, 'providers' | 'authenticators' | 'routes'>,
  clock: Clock,
): Promise<OnlineFinding[]> {
  const audits = Object.entries(configuration.providers).map(([name, settings]) =>
    auditProvider(settings, needsOf(configuration, name), clock),
  )
  return (await Promise.all(audits)).flat()
}
