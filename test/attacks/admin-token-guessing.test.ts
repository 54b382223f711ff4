import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Client, request } from 'undici'
import { startAdminSetting, type AdminSetting } from '../support/admin-server.ts'

const token = 'the-right-admin-token'

describe('guessing the admin token', () => {
  let setting: AdminSetting

  beforeEach(async () => {
    setting = await startAdminSetting(token)
  })

  afterEach(() => setting.server.close())

  async function attempt(
    authorization: string | undefined,
  ): Promise<{ status: number; headers: Record<string, unknown> }> {
    const answer = await request(`${setting.server.url}/api/v1/keys`, {
      headers: authorization === undefined ? {} : { authorization },
    })
    await answer.body.dump()
    return { status: answer.statusCode, headers: answer.headers }
  }

  it('gets ten tries a minute, then none is looked at, the right one neither', async () => {
    for (let tries = 0; tries < 10; tries += 1) {
      const { status, headers } = await attempt(`Bearer guess-${tries}`)
      expect(status).toBe(401)
      expect(headers['www-authenticate']).toBe('Bearer realm="portcullis-admin", error="invalid_token"')
    }
    const eleventh = await attempt(`Bearer ${token}`)
    expect(eleventh.status).toBe(429)
    expect(eleventh.headers['retry-after']).toBe('60')
    setting.clock.time += 60_000
    expect((await attempt(`Bearer ${token}`)).status).toBe(200)
  })

  it('leaves a trace of each try, without what was tried', async () => {
    await attempt('Bearer my-secret-guess')
    await attempt(undefined)
    expect(setting.events.map(({ type, outcome, reason }) => [type, outcome, reason])).toEqual([
      ['administration', 'refuse', 'credential_invalid'],
      ['administration', 'refuse', 'credential_missing'],
    ])
    expect(JSON.stringify(setting.events)).not.toContain('my-secret-guess')
  })

  it('is asked for a token when none is sent, which counts as no guess', async () => {
    for (let tries = 0; tries < 12; tries += 1) {
      const { status, headers } = await attempt(undefined)
      expect(status).toBe(401)
      expect(headers['www-authenticate']).toBe('Bearer realm="portcullis-admin"')
    }
  })

  it.each([
    'Bearer',
    'Bearer ',
    `Basic ${Buffer.from(`admin:${token}`).toString('base64')}`,
    `bearer${token}`,
    token,
    `Bearer ${token}x`,
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token.toUpperCase()}`,
    `Bearer ${token} ${token}`,
    `Bearer ${token},${token}`,
    'Bearer [secret]',
    'Bearer undefined',
  ])('does not get in with %j', async (authorization) => {
    expect((await attempt(authorization)).status).toBe(401)
  })

  it('does not get in through another spelling of the address', async () => {
    const client = new Client(setting.server.url)
    for (const path of [
      '/%61pi/v1/keys',
      '//api/v1/keys',
      '/api/v1/./keys',
      '/api/v1/keys/',
      '/API/v1/keys',
    ]) {
      const answer = await client.request({ method: 'GET', path })
      await answer.body.dump()
      expect([path, answer.statusCode === 401 || answer.statusCode === 404]).toEqual([path, true])
    }
    await client.close()
  })

  it('cannot make the server read a body before it knows the caller', async () => {
    const answer = await request(`${setting.server.url}/api/v1/keys/import`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '[not even JSON',
    })
    await answer.body.dump()
    expect(answer.statusCode).toBe(401)
  })
})
