/** `portcullis keys`: API keys in the store, or through a running gateway with `--admin URL`. */
import { InvalidArgumentError, type Command } from 'commander'
import type { CreatedKey } from '../../keys/manager.ts'
import { print, printJson, warn, type CliContext } from '../context.ts'
import { atDesk } from '../credentials/desk.ts'
import { readImportFile } from '../credentials/import-file.ts'
import { renderKey, renderRow, tableHeader } from '../credentials/render.ts'
import { writeAll } from './audit-output.ts'
import { registerAssertionKeys } from './keys-assertion.ts'

interface CreateOptions {
  readonly owner: string
  readonly name?: string
  readonly scopes?: string[]
  readonly roles?: string[]
  readonly tenant?: string
  readonly expires?: string
  readonly notBefore?: string
  readonly allowIp?: string[]
  readonly allowRoute?: string[]
  readonly rateLimit?: string
  readonly certificate?: string
  readonly meta?: Record<string, string>
  readonly authenticator?: string
  readonly json?: boolean
}

export function registerKeys(program: Command, context: CliContext): void {
  const keys = program
    .command('keys')
    .description('create, list, rotate, revoke, release and import API keys')
  registerCreate(keys, context)
  registerList(keys, context)
  registerShow(keys, context)
  registerRotate(keys, context)
  registerRevokeKey(keys, context)
  registerRelease(keys, context)
  registerImport(keys, context)
  const assertion = registerAssertionKeys(keys, context)
  for (const command of [...keys.commands, ...assertion.commands]) {
    if (command === assertion) continue
    command
      .option(
        '--admin <url>',
        'through the running gateway at URL; its token is read from PORTCULLIS_ADMIN_TOKEN',
      )
      .option('--json', 'print JSON')
  }
}

function registerCreate(keys: Command, context: CliContext): void {
  keys
    .command('create')
    .description('make a key and print it, this once')
    .requiredOption('--owner <subject>', "whose it is: the identity's subject")
    .option('--name <name>', 'what people call it')
    .option('--scopes <list>', 'comma-separated', commaList)
    .option('--roles <list>', 'comma-separated', commaList)
    .option('--tenant <tenant>')
    .option('--expires <when>', 'a duration (30d), a time, or none (default: the longest allowed)')
    .option('--not-before <time>', 'good from then on')
    .option('--allow-ip <cidr...>', 'only from these addresses', commaList)
    .option('--allow-route <id...>', 'only on these routes', commaList)
    .option('--rate-limit <rate>', 'across all routes, such as 10/1s')
    .option('--certificate <hex>', 'good only together with this client certificate (its SHA-256)')
    .option('--meta <k=v...>', 'claims of the identity', pair)
    .option('--authenticator <name>', 'good at this one only; needed where there are several prefixes')
    .action(async (options: CreateOptions, command: Command) => {
      const { allowIp, allowRoute, meta } = options
      await atDesk(context, command, async ({ keys, actor }) => {
        const created = await keys.create(
          {
            owner: options.owner,
            name: options.name,
            scopes: options.scopes,
            roles: options.roles,
            tenant: options.tenant,
            expires: options.expires,
            notBefore: options.notBefore,
            allowedIps: allowIp,
            allowedRoutes: allowRoute,
            rateLimit: options.rateLimit,
            certificate: options.certificate,
            metadata: meta,
            authenticator: options.authenticator,
          },
          actor,
        )
        printCreated(context, created, options.json)
      })
    })
}

/** What a program reads is JSON, asked for or not: the key is shown only now, and must not be lost to a parse. */
function printCreated(context: CliContext, created: CreatedKey, json: boolean | undefined): void {
  if (json === true || context.stdout.isTTY !== true) return printJson(context, created)
  print(context, renderKey(created))
  print(context)
  print(context, 'Keep the key now: it is not shown again.')
}

function registerList(keys: Command, context: CliContext): void {
  keys
    .command('list')
    .description('list keys in order of creation')
    .option('--owner <subject>', 'only theirs')
    .action(async ({ owner, json }: { owner?: string; json?: boolean }, command: Command) => {
      await atDesk(context, command, async ({ keys }) => {
        await writeAll(context, async function* (signal) {
          if (json !== true) yield `${tableHeader}\n`
          let after: string | undefined
          let isFirst = true
          do {
            const page = await keys.list({
              limit: 1_000,
              ...(after === undefined ? {} : { after }),
              ...(owner === undefined ? {} : { owner }),
            })
            for (const view of page.keys) {
              yield json === true ? `${isFirst ? '[' : ',\n'}${JSON.stringify(view)}` : `${renderRow(view)}\n`
              isFirst = false
            }
            after = page.next
          } while (after !== undefined && !signal.aborted)
          if (json === true) yield isFirst ? '[]\n' : ']\n'
        })
      })
    })
}

function registerShow(keys: Command, context: CliContext): void {
  keys
    .command('show')
    .description('show a key, without what proves it')
    .argument('<id>')
    .action(async (id: string, { json }: { json?: boolean }, command: Command) => {
      await atDesk(context, command, async ({ keys }) => {
        const view = await keys.show(id)
        if (json === true) printJson(context, view)
        else print(context, renderKey(view))
      })
    })
}

function registerRotate(keys: Command, context: CliContext): void {
  keys
    .command('rotate')
    .description('make a successor with the same rights and print it; the old key lives on for a grace')
    .argument('<id>')
    .option('--grace <duration>', "how long, such as 24h (default: the authenticator's)")
    .option('--authenticator <name>', 'for an imported key: whose prefix the successor has')
    .action(
      async (
        id: string,
        options: { grace?: string; authenticator?: string; json?: boolean },
        command: Command,
      ) => {
        const { grace, authenticator } = options
        await atDesk(context, command, async ({ keys, actor }) => {
          printCreated(context, await keys.rotate(id, { grace, authenticator }, actor), options.json)
        })
      },
    )
}

function registerRevokeKey(keys: Command, context: CliContext): void {
  keys
    .command('revoke')
    .description('revoke a key, at once')
    .argument('<id>')
    .option('--reason <text>', 'for the record')
    .action(async (id: string, { reason, json }: { reason?: string; json?: boolean }, command: Command) => {
      await atDesk(context, command, async ({ keys, actor }) => {
        const view = await keys.revoke(id, reason, actor)
        if (json === true) printJson(context, view)
        else print(context, `revoked ${view.id} of ${view.owner}`)
      })
    })
}

function registerRelease(keys: Command, context: CliContext): void {
  keys
    .command('release')
    .description('end the quarantine of a key that was found in public')
    .argument('<id>')
    .option('--reason <text>', 'for the record')
    .action(async (id: string, { reason, json }: { reason?: string; json?: boolean }, command: Command) => {
      await atDesk(context, command, async ({ keys, actor }) => {
        const view = await keys.release(id, reason, actor)
        if (json === true) printJson(context, view)
        else print(context, `released ${view.id} of ${view.owner}: it is good from everywhere again`)
      })
    })
}

function registerImport(keys: Command, context: CliContext): void {
  keys
    .command('import')
    .description('take in keys that others made: all of a JSON list or none')
    .requiredOption('--file <file>', 'list of {id?, key | sha256, owner, scopes, …}; - is standard input')
    .action(async ({ file, json }: { file: string; json?: boolean }, command: Command) => {
      const list = await readImportFile(context, file)
      await atDesk(context, command, async ({ keys, actor }) => {
        const result = await keys.import(list, actor)
        if (json === true) printJson(context, result)
        else print(context, `imported ${result.imported} ${result.imported === 1 ? 'key' : 'keys'}`)
        if (result.imported === 0) warn(context, 'the list is empty')
      })
    })
}

function commaList(text: string, before: string[] = []): string[] {
  const values = text.split(',').map((value) => value.trim())
  return [...before, ...values.filter((value) => value !== '')]
}

function pair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('must be name=value')
  const name = text.slice(0, at)
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is there twice`)
  return { ...before, [name]: text.slice(at + 1) }
}
