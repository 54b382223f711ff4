// What all targets share: the issuer, the upstream, one certificate; and the ways of starting a row.
import { selfSign } from '../test/support/certificate.ts'
import { createWallet } from './callers.ts'
import { createIssuer } from './credentials.ts'
import { createStores } from './growth/stores.ts'
import type { MissingRow } from './measure.ts'
import { probe } from './probe.ts'
import type { Processes } from './processes.ts'
import { progress, sayLoudly } from './progress.ts'
import type { Row, RowStage, StartedRow } from './rows.ts'
import { startUpstream } from './targets/nginx.ts'
import { Unavailable } from './targets/target.ts'

export const gatewayCore = 0
export const loadCore = 1

/** Sets the stage, runs `work` on it and clears it. */
export async function onStage<T>(
  folder: string,
  processes: Processes,
  work: (stage: RowStage) => Promise<T>,
): Promise<T> {
  const issuer = await createIssuer()
  try {
    const bare = { folder, processes, gatewayCore, loadCore, issuer, certificate: selfSign() }
    const upstream = await startUpstream(bare)
    return await work({
      ...bare,
      upstream: upstream.url,
      wallet: createWallet(issuer),
      stores: createStores(processes, folder),
    })
  } finally {
    await issuer.close()
  }
}

/** Rows that run, those that cannot be had here, and those that did not do what they should. */
export interface Started {
  readonly rows: readonly (StartedRow & { readonly name: string })[]
  readonly skipped: readonly MissingRow[]
  readonly failed: readonly MissingRow[]
}

/** Starts and probes each row. What is missing is said at once, and the others go on. */
export async function startRows(
  stage: RowStage,
  rows: readonly Row[],
  { isQuiet = false }: { readonly isQuiet?: boolean } = {},
): Promise<Started> {
  const started: (StartedRow & { readonly name: string })[] = []
  const skipped: MissingRow[] = []
  const failed: MissingRow[] = []
  for (const row of rows) {
    progress(`starting: ${row.name}`)
    const { name } = row
    try {
      const one = await row.start(stage)
      await probe(name, one)
      started.push({ ...one, name })
    } catch (error) {
      const reason = (error as Error).message
      if (error instanceof Unavailable) skipped.push({ name, reason })
      else failed.push({ name, reason })
      if (!isQuiet)
        sayLoudly(`${name} is ${error instanceof Unavailable ? 'skipped' : 'left out'}: ${reason}`)
    }
  }
  return { rows: started, skipped, failed }
}
