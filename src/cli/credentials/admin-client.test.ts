import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assertionKeysIn } from '../../../test/support/assertion-key-manager.ts'
import { startAdmin, type AdminServer } from '../../admin-api/server.ts'
import type { Configuration } from '../../configuration.ts'
import { Secret } from '../../engine/secret.ts'
import { createKeyManager } from '../../keys/manager.ts'
import { createRevocationManager } from '../../keys/revocations.ts'
import { openStore } from '../../stores/open.ts'
import { CommandLine, type Outcome, type RunOptions } from './testing/command-line.ts'

const token = 'admin-token-for-tests'
const clock = { now: (): number => Date.now() }

describe('key commands through a running gateway', () => {
  let line: CommandLine
  let server: AdminServer
  const env = { PORTCULLIS_ADMIN_TOKEN: token }

  beforeEach(async () => {
    line = new CommandLine()
    const store = await openStore(':memory:', { clock })
    const keys = { type: 'api-key', name: 'keys', in: [], prefix: 'ptc', grace: 3_600_000 }
    const configuration = { authenticators: { keys }, providers: {}, routes: [] } as unknown as Configuration
    const shared = { audit: { record: () => undefined }, clock, configuration: () => configuration }
    server = await startAdmin({
      host: '127.0.0.1',
      port: 0,
      token: () => new Secret(token),
      clock,
      audit: shared.audit,
      keys: createKeyManager({ ...shared, store: store.apiKeys }),
      revocations: createRevocationManager({ ...shared, store: store.revocations }),
      assertionKeys: await assertionKeysIn(store, shared),
      providers: { list: () => [], refresh: async () => undefined },
      health: () => ({ status: 'ready', providersAway: [] }),
      metrics: () => '',
      auditKey: () => undefined,
      onError: () => undefined,
      version: '0.0.0',
    })
  })

  afterEach(async () => {
    line.remove()
    await server.close()
  })

  const at = (args: string, options: RunOptions = { env }): Promise<Outcome> =>
    line.run([...args.split(' '), '--admin', server.url], options)

  it('does all of it without a configuration', async () => {
    const created = JSON.parse((await at('keys create --owner acme --scopes a,b --meta k=v')).out) as {
      id: string
      key: string
    }
    expect(created.key).toMatch(/^ptc_/)
    const rotated = JSON.parse((await at(`keys rotate ${created.id} --grace 1m`)).out) as { id: string }
    expect(JSON.parse((await at(`keys show ${created.id} --json`)).out)).toMatchObject({
      status: 'grace',
      successor: rotated.id,
      scopes: ['a', 'b'],
      metadata: { k: 'v' },
    })
    expect((await at(`keys revoke ${created.id} --reason leaked`)).code).toBe(0)
    line.write('keys.json', JSON.stringify([{ id: 'strange/id?', key: 'legacy-key', owner: 'a' }]))
    expect((await at('keys import --file keys.json')).out).toBe('imported 1 key\n')
    expect(JSON.parse((await at('keys show strange/id? --json')).out)).toMatchObject({ owner: 'a' })
    expect(JSON.parse((await at('keys list --json')).out)).toHaveLength(3)
    const revoked = await at('revoke --subject acme --issuer urn:portcullis:api-key --json')
    expect(JSON.parse(revoked.out)).toMatchObject([{ kind: 'subject', value: 'acme' }])
    expect(JSON.parse((await at('revoke list --json')).out)).toMatchObject([{ value: 'acme' }])
    const nothing = await at('revoke end --subject acme --issuer urn:portcullis:api-key')
    expect([nothing.code, nothing.err]).toEqual([1, expect.stringContaining('there is no revocation')])
    const held = await at(`keys release ${created.id}`)
    expect([held.code, held.err]).toEqual([1, 'the key is in no quarantine\n'])
    expect((await at('keys assertion list')).out).toMatch(/^\S{43} {2}active +signs from \S+\n$/)
    const [, next] = JSON.parse((await at('keys assertion rotate --json')).out) as { stage: string }[]
    expect(next).toMatchObject({ stage: 'new' })
  })

  it('says what the gateway refused, as if it were done here', async () => {
    const faulty = await at('keys create --owner acme --rate-limit 10')
    expect([faulty.code, faulty.err]).toEqual([2, '--rate-limit: must be a rate, such as 10/1s\n'])
    const missing = await at('keys show nobody')
    expect([missing.code, missing.err]).toEqual([1, 'there is no key "nobody"\n'])
  })

  it('needs a token from the environment, and the right one', async () => {
    const none = await at('keys list', { env: {} })
    expect([none.code, none.err]).toMatchObject([2, expect.stringContaining('PORTCULLIS_ADMIN_TOKEN')])
    const wrong = await at('keys list', { env: { PORTCULLIS_ADMIN_TOKEN: 'a-wrong-token' } })
    expect([wrong.code, wrong.err]).toEqual([
      1,
      'the gateway answered 401: the admin token was not accepted\n',
    ])
  })

  it.each(['http://gateway.example:9901', 'ftp://127.0.0.1', 'nonsense', 'http://127.0.0.1.evil.example'])(
    'sends no token to %s',
    async (address) => {
      const { code, err } = await line.run(['keys', 'list', '--admin', address], { env })
      expect(code).toBe(2)
      expect(err).toMatch(/^--admin: /)
      expect(err).not.toContain(token)
    },
  )

  it('says that nobody is there', async () => {
    await server.close()
    const { code, err } = await at('keys list')
    expect(code).toBe(1)
    expect(err).toMatch(/^cannot reach the gateway at http:\/\/127\.0\.0\.1:\d+: ECONNREFUSED/)
  })

  it('follows no redirect with the token, and takes no other server’s page for an answer', async () => {
    const seen: (string | undefined)[] = []
    const other: Server = createServer((request, response) => {
      seen.push(request.headers.authorization)
      if (request.url?.startsWith('/api') === true) response.writeHead(302, { location: '/elsewhere' }).end()
      else response.end('<html>')
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
    const { code } = await line.run(['keys', 'list', '--admin', address], { env })
    expect(code).toBe(1)
    expect(seen).toHaveLength(1)
    other.closeAllConnections()
    other.close()
  })
})
