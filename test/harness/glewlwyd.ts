/** Debian's glewlwyd, an authorization server that nobody here wrote: a process of its own on loopback, with a fresh database. */
import { spawn, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const program = '/usr/bin/glewlwyd'
const schema = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3'
const modules = '/usr/lib/glewlwyd'

export interface Glewlwyd extends AsyncDisposable {
  readonly issuer: string
  /** A token of the client `app` for itself, for the resource. */
  clientToken(): Promise<string>
  /** Tokens of the user alice, whose audience is their scope. */
  userTokens(): Promise<{ readonly access: string; readonly refresh: string }>
  revoke(token: string): Promise<void>
  close(): Promise<void>
}

export const client = { id: 'app', secret: 'app: s3cret+' } as const
export const resource = 'https://api.example'

/** @returns whether it is there; where tests must run, its absence is an error */
export function hasGlewlwyd(): boolean {
  if (existsSync(program) && existsSync(schema)) return true
  if (process.env['CI'] === 'true') throw new Error('glewlwyd is missing: apt-get install glewlwyd')
  process.stderr.write(
    '\n*** glewlwyd is not installed: its tests are SKIPPED (apt-get install glewlwyd) ***\n\n',
  )
  return false
}

export async function startGlewlwyd(): Promise<Glewlwyd> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-glewlwyd-'))
  const port = await freePort()
  const api = `http://127.0.0.1:${port}/api`
  await prepare(folder, port)
  const child = spawn(program, ['-c', join(folder, 'glewlwyd.conf')], { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const close = async (): Promise<void> => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await configure(api, child, () => log)
  } catch (error) {
    await close()
    throw error
  }
  const issuer = `${api}/oidc`
  const basic = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`
  const post = async (path: string, form: Record<string, string>): Promise<Response> =>
    fetch(`${issuer}/${path}`, {
      method: 'POST',
      headers: { authorization: basic },
      body: new URLSearchParams(form),
    })
  const tokens = async (form: Record<string, string>): Promise<Record<string, string>> => {
    const response = await post('token', form)
    if (response.status !== 200) throw new Error(`glewlwyd gave no token: ${response.status}`)
    return (await response.json()) as Record<string, string>
  }
  return {
    issuer,
    clientToken: async () =>
      (await tokens({ grant_type: 'client_credentials', scope: 'read', resource }))['access_token']!,
    async userTokens() {
      const form = { grant_type: 'password', scope: 'read', username: 'alice', password: 'alice-password' }
      const answer = await tokens(form)
      return { access: answer['access_token']!, refresh: answer['refresh_token']! }
    },
    async revoke(token) {
      const response = await post('revoke', { token, token_type_hint: 'access_token' })
      if (response.status !== 200) throw new Error(`glewlwyd did not revoke: ${response.status}`)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function prepare(folder: string, port: number): Promise<void> {
  const path = join(folder, 'glewlwyd.db')
  const database = new DatabaseSync(path)
  database.exec(await readFile(schema, 'utf8'))
  database.close()
  const settings = {
    port,
    bind_address: '127.0.0.1',
    external_url: `http://127.0.0.1:${port}`,
    login_url: 'login.html',
    api_prefix: 'api',
    log_mode: 'console',
    log_level: 'WARNING',
    session_key: 'GLEWLWYD2_SESSION_ID',
    admin_session_authentication: 'cookie',
    profile_session_authentication: 'cookie',
    admin_scope: 'g_admin',
    profile_scope: 'g_profile',
    user_module_path: `${modules}/user`,
    client_module_path: `${modules}/client`,
    user_auth_scheme_module_path: `${modules}/scheme`,
    plugin_module_path: `${modules}/plugin`,
    hash_algorithm: 'SHA512',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  const store = `database = { type = "sqlite3" path = ${JSON.stringify(path)} };`
  await writeFile(
    join(folder, 'glewlwyd.conf'),
    [...lines, 'cookie_secure=0', 'login_api_enabled=true', store, ''].join('\n'),
  )
}

/** Through its own administration interface, as the user that the database begins with. */
async function configure(api: string, child: ChildProcess, log: () => string): Promise<void> {
  const login = await untilUp(child, log, () =>
    fetch(`${api}/auth/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin', password: 'password' }),
    }),
  )
  const [cookie = ''] = (login.headers.get('set-cookie') ?? '').split(';')
  const add = async (what: string, value: unknown): Promise<void> => {
    const response = await fetch(`${api}/${what}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie },
      body: JSON.stringify(value),
    })
    if (response.status !== 200)
      throw new Error(`glewlwyd takes no ${what}: ${response.status} ${await response.text()}`)
  }
  await add('scope', {
    name: 'read',
    display_name: 'read',
    password_required: false,
    password_max_age: 0,
    scheme: {},
  })
  await add('mod/plugin', {
    module: 'oidc',
    name: 'oidc',
    display_name: 'oidc',
    order_rank: 0,
    parameters: plugin(api),
  })
  await add('client', {
    client_id: client.id,
    name: client.id,
    enabled: true,
    confidential: true,
    password: client.secret,
    authorization_type: ['client_credentials', 'password', 'refresh_token'],
    scope: ['read'],
    token_endpoint_auth_method: ['client_secret_basic'],
  })
  await add('user', {
    username: 'alice',
    name: 'Alice',
    password: 'alice-password',
    enabled: true,
    scope: ['read'],
  })
}

function plugin(api: string): Record<string, unknown> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    iss: `${api}/oidc`,
    'jwt-type': 'rsa',
    'jwt-key-size': '256',
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: publicKey.export({ type: 'spki', format: 'pem' }),
    'access-token-duration': 3600,
    'refresh-token-duration': 7200,
    'code-duration': 600,
    'refresh-token-rolling': true,
    'allow-non-oidc': true,
    'auth-type-client-enabled': true,
    'auth-type-password-enabled': true,
    'auth-type-refresh-enabled': true,
    'jwks-show': true,
    'subject-type': 'public',
    'introspection-revocation-allowed': true,
    'introspection-revocation-allow-target-client': true,
    'introspection-revocation-auth-scope': [],
    'resource-allowed': true,
    'resource-scope': { read: [resource] },
    'resource-client-property': '',
    'resource-scope-and-client-property': false,
  }
}

async function untilUp(
  child: ChildProcess,
  log: () => string,
  ask: () => Promise<Response>,
): Promise<Response> {
  for (let turn = 0; turn < 100; turn += 1) {
    if (child.exitCode !== null) throw new Error(`glewlwyd ended at once: ${log()}`)
    try {
      const response = await ask()
      if (response.status === 200) return response
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`glewlwyd does not answer: ${log()}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
}

function freePort(): Promise<number> {
  const server = createServer()
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
