/** `portcullis keys assertion`: the keys that the gateway signs assertions with. */
import type { Command } from 'commander'
import type { AssertionKeyView } from '../../keys/assertion-keys.ts'
import { print, printJson, type CliContext } from '../context.ts'
import { atDesk } from '../credentials/desk.ts'
import { renderAssertionKeys } from '../credentials/render.ts'

export function registerAssertionKeys(keys: Command, context: CliContext): Command {
  const assertion = keys
    .command('assertion')
    .description('list and rotate the keys that assertions are signed with')
  assertion
    .command('list')
    .description('list the keys that stand, oldest first')
    .action(async (options: { json?: boolean }, command: Command) => {
      await atDesk(context, command, async ({ assertionKeys }) =>
        show(context, await assertionKeys.list(), options.json),
      )
    })
  assertion
    .command('rotate')
    .description('publish the next key now; it signs when backends had time to learn of it')
    .option(
      '--withdraw',
      'for a key that somebody may have: the next one signs at once, the others are erased',
    )
    .option('--reason <text>', 'for the record')
    .action(async (options: { withdraw?: boolean; reason?: string; json?: boolean }, command: Command) => {
      const { withdraw, reason, json } = options
      await atDesk(context, command, async ({ assertionKeys, actor }) =>
        show(context, await assertionKeys.rotate({ withdraw, reason }, actor), json),
      )
    })
  return assertion
}

function show(context: CliContext, keys: readonly AssertionKeyView[], json: boolean | undefined): void {
  if (json === true) return printJson(context, keys)
  print(context, renderAssertionKeys(keys))
}
