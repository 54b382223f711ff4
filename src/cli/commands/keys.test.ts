import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AuditEntry } from '../../ports/audit-log.ts'
import { openStore } from '../../stores/open.ts'
import { CommandLine, type Outcome, type RunOptions } from '../credentials/testing/command-line.ts'

const plain = 'keys: { type: api-key, prefix: ptc }'

describe('portcullis keys', () => {
  let line: CommandLine

  beforeEach(() => {
    line = new CommandLine()
    line.configure([plain])
  })

  afterEach(() => line.remove())

  const keys = (args: string, options?: RunOptions): Promise<Outcome> =>
    line.run(['keys', ...args.split(' ')], options)

  async function json(args: string): Promise<Record<string, unknown>> {
    const { code, out, err } = await keys(`${args} --json`)
    if (code !== 0) throw new Error(err)
    return JSON.parse(out) as Record<string, unknown>
  }

  async function outbox(): Promise<AuditEntry[]> {
    const store = await openStore(join(line.folder, 'store.db'), { clock: { now: () => Date.now() } })
    const entries: AuditEntry[] = []
    await store.outbox.drain(1_000, (entry) => {
      entries.push(entry)
      return undefined
    })
    await store.close()
    return entries
  }

  it('makes a key with all that it may have', async () => {
    const args =
      'create --owner acme --name nightly --scopes items:read,items:write --roles viewer --tenant north ' +
      '--expires 30d --not-before 2020-01-01T00:00:00Z --allow-ip 10.0.0.0/8 ::1 --allow-ip 192.0.2.1,192.0.2.2 ' +
      '--allow-route items-read --rate-limit 10/1s --meta team=data --meta plan=a=b'
    const created = await json(args)
    expect(created).toMatchObject({
      owner: 'acme',
      name: 'nightly',
      scopes: ['items:read', 'items:write'],
      roles: ['viewer'],
      tenant: 'north',
      allowedIps: ['10.0.0.0/8', '::1', '192.0.2.1', '192.0.2.2'],
      allowedRoutes: ['items-read'],
      rateLimit: '10/1s',
      metadata: { team: 'data', plan: 'a=b' },
      status: 'active',
      prefix: 'ptc',
    })
    expect(created['key']).toMatch(/^ptc_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/)
    const life = Date.parse(String(created['expiresAt'])) - Date.parse(String(created['createdAt']))
    expect(life).toBe(30 * 86_400_000)
  })

  it('prints JSON to a program and lines to a person, and the key only then', async () => {
    const forProgram = await keys('create --owner acme')
    expect(JSON.parse(forProgram.out)).toHaveProperty('key')
    const forPerson = await keys('create --owner acme', { isTTY: true })
    expect(forPerson.out).toMatch(/^key +ptc_\w+$/m)
    expect(forPerson.out).toMatch(/not shown again/)
    const listed = await keys('list')
    expect(listed.out).not.toMatch(/ptc_/)
  })

  it('lists as a table or an array, of one owner or all', async () => {
    const first = await json('create --owner acme --scopes a,b')
    await json('create --owner beta')
    const table = await keys('list')
    expect(table.out.split('\n')).toHaveLength(4)
    expect(table.out).toMatch(/^ID +OWNER/)
    expect(table.out).toContain(`${String(first['id'])}  acme`)
    const all = JSON.parse((await keys('list --json')).out) as unknown[]
    expect(all).toHaveLength(2)
    expect(JSON.parse((await keys('list --owner beta --json')).out)).toHaveLength(1)
    expect((await keys('list --owner nobody --json')).out).toBe('[]\n')
  })

  it('shows, rotates and revokes', async () => {
    const { id, key } = await json('create --owner acme')
    const rotated = await json(`rotate ${String(id)} --grace 1h`)
    expect(rotated['key']).not.toBe(key)
    expect(rotated['replaces']).toMatchObject({ id })
    expect(await json(`show ${String(id)}`)).toMatchObject({ status: 'grace', successor: rotated['id'] })
    const revoked = await keys(`revoke ${String(rotated['id'])} --reason leaked`)
    expect(revoked.out).toBe(`revoked ${String(rotated['id'])} of acme\n`)
    const shown = await keys(`show ${String(rotated['id'])}`)
    expect(shown.out).toMatch(/^status +revoked$/m)
    expect(shown.out).toMatch(/^reason +leaked$/m)
  })

  it('binds a key to a certificate, and its successor too', async () => {
    const hex = 'AB'.repeat(32).replace(/(..)(?=.)/g, '$1:')
    const { id, certificate } = await json(`create --owner acme --certificate ${hex}`)
    expect(certificate).toBe('ab'.repeat(32))
    expect(await json(`rotate ${String(id)}`)).toMatchObject({ certificate })
    expect((await keys(`show ${String(id)}`)).out).toMatch(/^certificate +(ab){32}$/m)
  })

  it('shows how far a rotation has come', async () => {
    const { id } = await json('create --owner acme')
    const { id: next } = await json(`rotate ${String(id)}`)
    expect((await keys('list')).out).toMatch(/ {2}new$/m)
    expect((await keys(`show ${String(next)}`)).out).toMatch(
      new RegExp(`^rotation +new: old ${String(id)} never used, new ${String(next)} never used$`, 'm'),
    )
  })

  it('releases a key from its quarantine', async () => {
    const { id } = await json('create --owner acme')
    expect((await keys(`release ${String(id)}`)).err).toBe('the key is in no quarantine\n')
    const store = await openStore(join(line.folder, 'store.db'), { clock: { now: () => Date.now() } })
    await store.apiKeys.touch([{ id: String(id), at: Date.now(), address: '192.0.2.1' }])
    await store.apiKeys.quarantine(String(id), Date.now(), 'found in public')
    await store.close()
    const shown = (await keys(`show ${String(id)}`)).out
    expect(shown).toMatch(/^status +quarantined$/m)
    expect(shown).toMatch(/^seen from +192\.0\.2\.1 \(/m)
    expect((await keys(`release ${String(id)} --reason mine`)).out).toMatch(/^released \w+ of acme/)
    expect(await json(`show ${String(id)}`)).toMatchObject({ status: 'active' })
    expect((await outbox()).at(-1)?.data).toMatchObject({ change: 'released', reason: 'mine' })
  })

  it('lists and rotates the keys of assertions', async () => {
    expect((await keys('assertion list')).out).toMatch(/^\S{43} {2}active +signs from \S+Z\n$/)
    const rotated = await keys('assertion rotate --json')
    expect(JSON.parse(rotated.out)).toMatchObject([{ stage: 'active' }, { stage: 'new' }])
    const again = await keys('assertion rotate')
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('the next key is published already')])
    const withdrawn = await keys('assertion rotate --withdraw --reason stolen')
    expect(withdrawn.out).toMatch(/^\S{43} {2}active/)
    expect((await outbox()).at(-1)?.data).toMatchObject({ change: 'assertion-key-rotated', reason: 'stolen' })
  })

  it('imports from a file and from standard input', async () => {
    const sha256 = createHash('sha256').update('second-legacy-key').digest('hex')
    line.write('keys.json', JSON.stringify([{ id: 'l1', key: 'first-legacy-key', owner: 'acme' }]))
    expect((await keys('import --file keys.json')).out).toBe('imported 1 key\n')
    const stdin = `\uFEFF${JSON.stringify([{ id: 'l2', sha256, owner: 'beta' }])}`
    const second = await keys('import --file - --json', { stdin })
    expect(JSON.parse(second.out)).toEqual({ imported: 1, ids: ['l2'] })
    expect(await json('show l2')).toMatchObject({ origin: 'imported', owner: 'beta' })
  })

  it('says what is wrong with an import by index and member, and repeats nothing of it', async () => {
    line.write(
      'keys.json',
      JSON.stringify([
        { key: 'first-legacy-key', owner: '' },
        { key: 'x', owner: 'a' },
      ]),
    )
    const faulty = await keys('import --file keys.json')
    expect(faulty.code).toBe(1)
    expect(faulty.err).toMatch(/^\[0\]\.owner: .*\n\[1\]\.key: /)
    line.write('broken.json', '[{"key": "secret-legacy-key", owner}]')
    const broken = await keys('import --file broken.json')
    expect([broken.code, broken.err]).toEqual([1, '--file: broken.json is no JSON (line 1, column 31)\n'])
    expect((await keys('import --file nowhere.json')).err).toMatch(/cannot read nowhere.json \(ENOENT\)/)
  })

  it('leaves an audit event of each change for the gateway, saying who made it', async () => {
    const { id } = await json('create --owner acme')
    await keys(`revoke ${String(id)}`)
    const events = await outbox()
    expect(events.map(({ type, data }) => [type, data?.['change'], data?.['keyId']])).toEqual([
      ['credential', 'created', id],
      ['credential', 'revoked', id],
    ])
    expect(events[0]?.data?.['by']).toMatch(/^cli:./)
  })

  it.each([
    ['create', /--owner/],
    ['create --owner acme --expires soon', /^--expires: must be a duration/],
    ['create --owner acme --expires 91d', /^--expires: must be at most/],
    ['create --owner acme --allow-ip 10.0.0.0/99', /^--allow-ip\[0\]: must be an address/],
    ['create --owner acme --allow-route items-raed', /^--allow-route\[0\]: is no route/],
    ['create --owner acme --rate-limit 10', /^--rate-limit: must be a rate/],
    ['create --owner acme --meta novalue', /must be name=value/],
    ['create --owner acme --meta a=1 --meta a=2', /a is there twice/],
    ['create --owner acme --certificate 00', /^--certificate: must be the SHA-256 fingerprint/],
    ['create --owner acme --colour red', /unknown option/],
    ['rotate', /missing required argument/],
    ['import', /--file/],
    ['frobnicate', /unknown command|usage/i],
  ])('%s is wrong usage', async (args, words) => {
    const { code, err, out } = await keys(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(words)
  })

  it.each([
    ['show nobody', /there is no key "nobody"/],
    ['revoke nobody', /there is no key/],
    ['rotate nobody', /there is no key/],
    ['release nobody', /there is no key/],
  ])('%s fails', async (args, words) => {
    const { code, err } = await keys(args)
    expect(code).toBe(1)
    expect(err).toMatch(words)
  })

  it('needs the authenticator where there are several prefixes', async () => {
    line.configure([plain, 'other: { type: api-key, prefix: abc, in: [{ header: x-other-key }] }'])
    const { code, err } = await keys('create --owner acme')
    expect(code).toBe(2)
    expect(err).toMatch(
      /^--authenticator: the configuration has several prefixes; name one of keys \(ptc_…\), other \(abc_…\)/,
    )
    expect(await json('create --owner acme --authenticator other')).toMatchObject({ prefix: 'abc' })
  })

  it('needs no secret but those that keys depend on', async () => {
    line.configure([plain], 'admin: { token: "${env:ADMIN_TOKEN_THAT_IS_NOT_SET}" }')
    expect((await keys('create --owner acme')).code).toBe(0)
    line.configure(['keys: { type: api-key, prefix: ptc, pepper: "${env:PEPPER_THAT_IS_NOT_SET}" }'])
    const { code, err } = await keys('create --owner acme')
    expect(code).toBe(1)
    expect(err).toMatch(/PEPPER_THAT_IS_NOT_SET/)
  })
})
