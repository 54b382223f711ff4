/** Where key commands do their work: on the store itself, or through a running gateway's admin API. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { recordInOutbox } from '../../keys/events.ts'
import {
  createAssertionKeyManager,
  type AssertionKeyManager,
  type AssertionKeyOptions,
  type SigningKeys,
} from '../../keys/assertion-keys.ts'
import { createKeyManager, type KeyManager } from '../../keys/manager.ts'
import { KeyProblem } from '../../keys/problem.ts'
import { createRevocationManager, type RevocationManager } from '../../keys/revocations.ts'
import type { Clock } from '../../ports/clock.ts'
import { openAssertionKeys } from '../../propagation/assertion-keys.ts'
import { openStore } from '../../stores/open.ts'
import type { LoadedConfiguration } from '../../config/load.ts'
import { CommandError, loadOrExplain, type CliContext } from '../context.ts'
import { connectToAdmin } from './admin-client.ts'

export interface Desk {
  readonly keys: KeyManager
  readonly revocations: RevocationManager
  readonly assertionKeys: AssertionKeyManager
  /** Who is said to have done it, where we are the ones to say. */
  readonly actor: string
  close(): Promise<void>
}

export interface DeskOptions {
  readonly config?: string
  readonly admin?: string
}

/** Opens the desk, does the work, closes it, and turns what cannot be done into a message and an exit code. */
export async function atDesk(
  context: CliContext,
  command: Command,
  work: (desk: Desk) => Promise<void>,
): Promise<void> {
  const options = command.optsWithGlobals<DeskOptions>()
  const desk = await openDesk(context, options)
  try {
    await work(desk)
  } catch (error) {
    throw error instanceof KeyProblem ? readableProblem(error) : error
  } finally {
    await desk.close()
  }
}

async function openDesk(context: CliContext, options: DeskOptions): Promise<Desk> {
  const actor = `cli:${userName()}`
  if (options.admin !== undefined) {
    const gateway = connectToAdmin(options.admin, context.env['PORTCULLIS_ADMIN_TOKEN'])
    return { ...gateway, actor, close: async () => undefined }
  }
  const { configuration } = await loadForStore(context, options.config)
  if (configuration.store.path === ':memory:') {
    throw new CommandError('the store is memory: it is reached through the running gateway, with --admin URL')
  }
  const store = await openStore(configuration.store.path, { clock }).catch((error: unknown) => {
    throw new CommandError((error as Error).message)
  })
  // The log belongs to the running gateway: it brings the events over from the store.
  const shared = { audit: recordInOutbox(store.outbox), clock, configuration: () => configuration }
  return {
    keys: createKeyManager({ ...shared, store: store.apiKeys }),
    revocations: createRevocationManager({ ...shared, store: store.revocations }),
    assertionKeys: assertionKeysOf(
      () => openAssertionKeys(store.meta, { clock, ...configuration.assertion }),
      shared,
    ),
    actor,
    close: () => store.close(),
  }
}

/** Opened only when they are asked for: opening makes the first one where there is none. */
function assertionKeysOf(
  open: () => Promise<SigningKeys>,
  shared: Omit<AssertionKeyOptions, 'keys'>,
): AssertionKeyManager {
  const opened = async (): Promise<AssertionKeyManager> =>
    createAssertionKeyManager({ ...shared, keys: await open() })
  return {
    list: async () => (await opened()).list(),
    rotate: async (input, by) => (await opened()).rotate(input, by),
  }
}

/**
 * Secrets of other parts (the admin token, a certificate's key) need not be there to manage keys. Of the parts that say
 * which store, which peppers and which issuers, nothing may be stood in for: the work would be done in the wrong place.
 */
async function loadForStore(context: CliContext, config: string | undefined): Promise<LoadedConfiguration> {
  const loaded = await loadOrExplain(context, config, { standIns: true })
  const isNeeded = (notice: string): boolean => /^(?:store|authenticators|providers|routes)\b/.test(notice)
  return loaded.notices.some(isNeeded) ? loadOrExplain(context, config) : loaded
}

const clock: Clock = { now: () => Date.now() }

/** Members as the options that they were given by. */
const optionNames: Readonly<Record<string, string>> = {
  notBefore: '--not-before',
  allowedIps: '--allow-ip',
  allowedRoutes: '--allow-route',
  rateLimit: '--rate-limit',
  metadata: '--meta',
}

function readableProblem({ kind, faults }: KeyProblem): CommandError {
  const lines = faults.map(({ path, message }) => (path === '' ? message : `${optionOf(path)}: ${message}`))
  const isUsage = kind === 'invalid' && faults.every(({ path }) => path !== '' && !path.startsWith('['))
  return new CommandError(lines.join('\n'), isUsage ? 2 : 1)
}

function optionOf(path: string): string {
  if (path.startsWith('[')) return path
  const [, member = '', rest = ''] = /^(\w+)(.*)$/.exec(path) ?? []
  return `${optionNames[member] ?? `--${member}`}${rest}`
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    // A container's user may have no entry in the system's list.
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
