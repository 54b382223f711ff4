import { rejected, type Rejected } from '../../outcome.ts'

/** A store that cannot be asked is a refusal (503), never an absent session: that would clear a cookie that is good. */
export function attempt<T extends object>(
  ask: () => T | undefined | Promise<T | undefined>,
): T | Rejected | undefined | Promise<T | Rejected | undefined> {
  try {
    const found = ask()
    return found instanceof Promise ? found.catch(unavailable) : found
  } catch (error) {
    return unavailable(error)
  }
}

export function isAway(found: object): found is Rejected {
  return 'outcome' in found && found.outcome === 'rejected'
}

function unavailable(error: unknown): Rejected {
  return rejected('store_unavailable', error instanceof Error ? error.message : 'the store failed')
}
