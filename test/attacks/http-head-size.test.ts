/** Heads that are too large: told apart, refused early, and never passed in part. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startListener, type TestListener, onEachDataPlane } from '../listener.ts'

onEachDataPlane(() => {
  let listener: TestListener
  beforeAll(async () => {
    listener = await startListener({ limits: { headers: 4096, headerCount: 20 } })
  })
  afterAll(() => listener[Symbol.asyncDispose]())

  const start = 'GET / HTTP/1.1\r\nHost: x\r\n'
  const kilobyte = 1024

  /** Sends, and makes sure that a refused head leaves nothing behind. */
  async function statusOf(bytes: string): Promise<number> {
    const before = listener.reached.length
    const client = await listener.client()
    client.send(bytes)
    const { status } = await client.answer()
    const isRefused = status !== 200
    const rest = isRefused ? await client.ended() : ''
    expect(rest.length).toBe(0)
    expect(listener.reached.length - before).toBe(isRefused ? 0 : 1)
    // What is more than we drain is answered all the same, and then cut.
    expect(client.error === undefined || bytes.length > 1024 * kilobyte).toBe(true)
    client.destroy()
    return status
  }

  /** A head of exactly so many bytes. */
  function headOf(bytes: number): string {
    const shell = `${start}X-A: \r\n\r\n`
    return `${start}X-A: ${'a'.repeat(bytes - shell.length)}\r\n\r\n`
  }

  describe('the size of a head', () => {
    it('may be the limit, counted with every line break', async () => {
      expect(headOf(4096)).toHaveLength(4096)
      expect(await statusOf(headOf(4096))).toBe(200)
      expect(await statusOf(headOf(4097))).toBe(431)
    })

    it.each([5, 50, 500, 1000])('of %i KiB in one field is 431', async (size) => {
      expect(await statusOf(headOf(size * kilobyte))).toBe(431)
    })

    it.each([5, 50, 500, 1000, 3000])('of %i KiB in the target is 414', async (size) => {
      expect(await statusOf(`GET /${'a'.repeat(size * kilobyte)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toBe(414)
    })

    it('of 3 MiB in many fields is 431', async () => {
      expect(await statusOf(start + `X-A: ${'a'.repeat(1000)}\r\n`.repeat(3000))).toBe(431)
    })

    it('is 431 where target and fields are too large together only', async () => {
      expect(
        await statusOf(`GET /${'a'.repeat(4000)} HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(100)}\r\n\r\n`),
      ).toBe(431)
    })

    it('is refused before it has ended, when nothing more comes', async () => {
      expect(await statusOf(`${start}X-A: ${'a'.repeat(5 * kilobyte)}`)).toBe(431)
    })

    it('is refused before it has ended, when it never would', async () => {
      expect(await statusOf(`${start}${'X-A: b\r\n'.repeat(300 * kilobyte)}`)).toBe(431)
    })
  })

  describe('the number of fields', () => {
    it('may be the limit', async () => {
      expect(await statusOf(`${start}${'X-A: a\r\n'.repeat(19)}\r\n`)).toBe(200)
      expect(await statusOf(`${start}${'X-A: a\r\n'.repeat(20)}\r\n`)).toBe(431)
    })

    it.each([1500, 3000])(
      'is refused far beyond it, where a parser would drop fields silently: %i',
      async (count) => {
        const large = await startListener({ limits: { headers: 1024 * kilobyte, headerCount: 1000 } })
        const client = await large.client()
        client.send(`${start}${'A: b\r\n'.repeat(count)}\r\n`)
        expect((await client.answer()).status).toBe(431)
        await large[Symbol.asyncDispose]()
      },
    )

    it('of which all are seen when there are many', async () => {
      await using large = await startListener({ limits: { headers: 1024 * kilobyte, headerCount: 5000 } })
      const client = await large.client()
      client.send(`${start}${'A: b\r\n'.repeat(3000)}Host: y\r\n\r\n`)
      expect((await client.answer()).status).toBe(400)
      expect(large.refused).toMatchObject([{ reason: 'host_invalid' }])
    })
  })
})
