import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CommandError, print, printJson, type CliContext } from '../context.ts'

/** The smallest useful configuration, commented: five short blocks. */
const starter = `# Portcullis: who may call what. Check it with: portcullis check   Run it with: portcullis start
# Every key is described in docs/config.md; editors complete it with the schema named below.
# yaml-language-server: $schema=./node_modules/portcullis/docs/config.schema.json
version: 1

# Who vouches for your users. Types: oidc, auth0, okta, cognito, entra, keycloak, google.
providers:
  corp: { type: oidc, issuer: https://login.example.com }

# How callers prove who they are.
authenticators:
  # Access tokens of the provider. \`audience\` is what the provider writes into \`aud\` for your API.
  corp-token: { type: jwt, provider: corp, audience: https://api.example.com, maxLifetime: 1h }
  # Keys for partners and scripts: portcullis keys create --owner acme --scopes items:read
  # partner-keys: { type: api-key, prefix: ptc }

# The services behind the gateway.
upstreams:
  items: { targets: [http://127.0.0.1:3000] }

# What may be called, by whom. The most specific path decides.
routes:
  - id: items-read
    match: { path: /items/*, methods: [GET] }
    authenticate: [corp-token]
    authorize: { scopes: [items:read] }
    rateLimit: { limit: 100/1m, key: identity }
    upstream: items

# The defaults for everything else: http://127.0.0.1:8080 for clients, http://127.0.0.1:9901 for health and
# metrics, ./portcullis.db for keys and revocations, ./audit for the audit log.
`

export function registerInit(program: Command, context: CliContext): void {
  program
    .command('init')
    .description('write a commented starter configuration')
    .argument('[file]', 'where to write it', 'portcullis.yaml')
    .option('--force', 'overwrite a file that is there')
    .option('--json', 'print {"file": …}')
    .action(async (file: string, options: { force?: boolean; json?: boolean }) => {
      const path = resolve(context.cwd, file)
      try {
        await writeFile(path, starter, { flag: options.force === true ? 'w' : 'wx' })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
          throw new CommandError(`${file} is there already; --force overwrites it`)
        }
        throw new CommandError(`${file}: cannot write: ${(error as Error).message}`)
      }
      if (options.json === true) return printJson(context, { file: path })
      print(context, `Wrote ${file}. Next: edit the provider and the upstream, then`)
      print(context, '  portcullis check   tells what is wrong or weak')
      print(context, '  portcullis start   runs the gateway')
    })
}
