/** What `portcullis dev` prints on a terminal: where things are, and lines to copy that work as printed. */
import { paint, print, type CliContext } from '../context.ts'
import type { DevFacts } from './run.ts'

/** How the command line is called where this runs: from sources there is no installed command. */
const command = import.meta.filename.endsWith('.ts') ? 'npm run portcullis --' : 'portcullis'

export function printBanner(context: CliContext, facts: DevFacts): void {
  const heading = (text: string): void => print(context, `\n${paint(context, 'bold', text)}`)
  print(context, `Portcullis guards a sample catalog at ${paint(context, 'cyan', facts.gateway)}`)
  print(
    context,
    `  provider  ${facts.provider}   (users: ${facts.users.map((user) => `${user.name}/${user.password}`).join(', ')})`,
  )
  print(context, `  admin     ${facts.admin}   (token: ${facts.adminToken})`)
  print(context, `  config    ${facts.config}`)

  heading('In a browser: sign in, look around, sign out')
  print(context, `${facts.gateway}/catalog/`)
  heading('No credential: refused')
  print(context, `curl -i ${facts.gateway}/catalog/items`)
  heading('A partner with an API key: may read')
  print(context, `curl -H 'X-API-Key: ${facts.apiKey}' ${facts.gateway}/catalog/items`)
  heading('A viewer with an access token: may read')
  print(context, `curl -H 'Authorization: Bearer ${facts.tokens['viewer']}' ${facts.gateway}/catalog/whoami`)
  heading('The viewer may not write')
  print(
    context,
    `curl -i -X POST -H 'Authorization: Bearer ${facts.tokens['viewer']}' -H 'Content-Type: application/json' -d '{"title":"Night Ferry"}' ${facts.gateway}/catalog/items`,
  )
  heading('An editor may')
  print(
    context,
    `curl -i -X POST -H 'Authorization: Bearer ${facts.tokens['editor']}' -H 'Content-Type: application/json' -d '{"title":"Night Ferry"}' ${facts.gateway}/catalog/items`,
  )
  heading('A service gets its own token from the provider')
  for (const client of facts.clients) {
    if (!client.grants.includes('client_credentials')) continue
    print(
      context,
      `curl -u ${client.id}:${client.secret} -d grant_type=client_credentials -d scope=catalog:read ${facts.provider}/token`,
    )
  }
  heading('What was decided')
  print(context, `${command} audit tail --config ${facts.config}`)
  print(
    context,
    `\nTokens last an hour; with --dir DIR, a fresh one: ${command} dev token viewer --dir DIR. Ctrl-C stops.`,
  )
}
