import type { Operation } from '../operation.ts'
import { AdminProblem } from '../problem.ts'
import { providerPageView, providerView } from '../views.ts'

/** A provider's name, and whatever is known of its state; `providerView` says what that is. */
export interface ProviderState {
  readonly name: string
}

export interface ProviderDesk {
  list(): readonly ProviderState[]
  /** Fetches its keys now. @returns its state afterwards, undefined when there is no such provider */
  refresh(name: string): Promise<ProviderState | undefined>
}

export function providerOperations(providers: ProviderDesk): readonly Operation[] {
  return [
    {
      id: 'listProviders',
      method: 'GET',
      path: '/api/v1/providers',
      tag: 'providers',
      summary: 'Lists the identity providers and the state of their keys',
      access: 'token',
      answers: { 200: { description: 'Providers', schema: providerPageView } },
      handle: () => ({ status: 200, body: { items: providers.list() } }),
    },
    {
      id: 'refreshProvider',
      method: 'POST',
      path: '/api/v1/providers/{name}/refresh',
      tag: 'providers',
      summary: "Fetches a provider's keys now",
      access: 'token',
      answers: { 200: { description: 'Its state afterwards', schema: providerView } },
      handle: async ({ parameters }) => {
        const name = parameters['name'] ?? ''
        const state = await providers.refresh(name)
        if (state !== undefined) return { status: 200, body: state }
        throw new AdminProblem('not_found', { detail: `there is no provider ${JSON.stringify(name)}` })
      },
    },
  ]
}
