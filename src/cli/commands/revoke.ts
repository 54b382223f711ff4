/** `portcullis revoke`: what others issued, everywhere and at once. */
import type { Command } from 'commander'
import type { EndedRevocation, NewRevocation } from '../../keys/schemas.ts'
import { print, printJson, warn, type CliContext } from '../context.ts'
import { atDesk } from '../credentials/desk.ts'
import { renderRevocation, renderStanding } from '../credentials/render.ts'

const kinds = ['jti', 'subject', 'client', 'session', 'certificate'] as const

interface RevokeOptions extends Partial<Record<(typeof kinds)[number], string>> {
  readonly issuer?: string
  readonly before?: string
  readonly permanent?: boolean
  readonly reason?: string
  readonly json?: boolean
}

export function registerRevoke(program: Command, context: CliContext): void {
  const revoke = program
    .command('revoke')
    .description(
      'revoke a token, subject, client, session or certificate, or all that an issuer issued until a time',
    )
    .option('--jti <id>', 'one token, by its id')
    .option('--subject <subject>', 'all that a subject holds')
    .option('--client <id>', 'all that a client holds')
    .option('--session <id>', 'one session')
    .option('--certificate <sha256>', 'all that is bound to a certificate')
    .option(
      '--issuer <issuer>',
      'of this issuer only; with --before: all of it (API keys: urn:portcullis:api-key)',
    )
    .option('--before <time>', 'with --issuer: all that it issued until then')
    .option('--permanent', 'also what is issued later')
    .option('--reason <text>', 'for the record')
    .option(
      '--admin <url>',
      'through the running gateway at URL; its token is read from PORTCULLIS_ADMIN_TOKEN',
    )
    .option('--json', 'print a JSON array')
    .action(async (options: RevokeOptions, command: Command) => {
      const input = inputOf(options, command)
      await atDesk(context, command, async ({ revocations, actor }) => {
        const { revocations: made, notices } = await revocations.revoke(input, actor)
        for (const notice of notices) warn(context, `note: ${notice}`)
        if (options.json === true) return printJson(context, made)
        for (const each of made) print(context, renderRevocation(each))
      })
    })
  registerStanding(revoke, context)
  registerEnd(revoke, context)
}

function registerStanding(revoke: Command, context: CliContext): void {
  revoke
    .command('list')
    .description('list the standing revocations, oldest first')
    .action(async (_options: unknown, command: Command) => {
      await atDesk(context, command, async ({ revocations }) => {
        const standing = await revocations.list()
        if (wantsJson(command)) return printJson(context, standing)
        for (const each of standing) print(context, renderStanding(each))
      })
    })
}

function registerEnd(revoke: Command, context: CliContext): void {
  revoke
    .command('end')
    .description(
      'let what is issued from now on pass again, where a revocation refuses it too (--permanent, or a --before that is still to come); what was issued before stays refused. Takes --issuer and one of --subject, --client and --certificate, or --issuer alone',
    )
    .action(async (_options: unknown, command: Command) => {
      const input = endedInputOf(command)
      await atDesk(context, command, async ({ revocations, actor }) => {
        const ended = await revocations.end(input, actor)
        if (wantsJson(command)) return printJson(context, ended)
        for (const each of ended) print(context, `now: ${renderRevocation(each)}`)
      })
    })
}

/** The options are the command's own above: they may stand before or after the word. */
function wantsJson(command: Command): boolean {
  return command.optsWithGlobals<RevokeOptions>().json === true
}

function endedInputOf(command: Command): EndedRevocation {
  const options = command.optsWithGlobals<RevokeOptions>()
  const { issuer, reason } = options
  const given = (['subject', 'client', 'certificate'] as const).filter((kind) => options[kind] !== undefined)
  const [kind = 'issuer'] = given
  if (issuer === undefined) return command.error('error: say whose credentials: --issuer')
  if (given.length > 1 || options.jti !== undefined || options.session !== undefined) {
    return command.error(
      'error: give one of --subject, --client and --certificate; a token or session is revoked for good',
    )
  }
  return { kind, ...(kind === 'issuer' ? {} : { value: options[kind] }), issuer, reason }
}

function inputOf(options: RevokeOptions, command: Command): NewRevocation {
  const given = kinds.filter((kind) => options[kind] !== undefined)
  const { issuer, before, permanent, reason } = options
  const [kind] = given
  if (given.length > 1) {
    return command.error(`error: give one of ${given.map((each) => `--${each}`).join(' and ')}, not both`)
  }
  if (kind !== undefined) {
    if (before !== undefined) return command.error('error: --before goes with --issuer alone')
    return { kind, value: options[kind], issuer, permanent, reason }
  }
  if (issuer === undefined || before === undefined) {
    const all = kinds.map((each) => `--${each}`).join(', ')
    return command.error(`error: say what to revoke: one of ${all}, or --issuer with --before`)
  }
  if (permanent === true) return command.error('error: --permanent does not go with --before')
  return { kind: 'issuer', issuer, before, reason }
}
