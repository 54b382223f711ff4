import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { request } from 'undici'
import { startAdminSetting, type AdminSetting } from '../support/admin-server.ts'

const token = 'the-right-admin-token'

describe('a web page of another site that calls the admin API', () => {
  let setting: AdminSetting

  beforeEach(async () => {
    setting = await startAdminSetting(token)
  })

  afterEach(() => setting.server.close())

  async function post(headers: Record<string, string>): Promise<number> {
    const answer = await request(`${setting.server.url}/api/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: '{"owner":"mallory"}',
    })
    await answer.body.dump()
    return answer.statusCode
  }

  it.each<Record<string, string>>([
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:1' },
    { origin: 'http://localhost.evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'strange' },
  ])('is refused with %j, though it has the token', async (headers) => {
    expect(await post(headers)).toBe(403)
    expect(await setting.store.apiKeys.list({ limit: 1 })).toEqual([])
    expect(setting.events.map(({ reason }) => reason)).toEqual(['forbidden'])
  })

  it('cannot send a form where JSON is wanted', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      expect(await post({ 'content-type': type })).toBe(415)
    }
  })

  it('gets no leave from a preflight', async () => {
    const answer = await request(`${setting.server.url}/api/v1/keys`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    })
    await answer.body.dump()
    expect(answer.statusCode).toBe(405)
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('does not keep a page of its own out', async () => {
    expect(await post({ origin: setting.server.url, 'sec-fetch-site': 'same-origin' })).toBe(201)
    expect(await post({})).toBe(201)
  })
})
