import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { ContentDigests } from '../engine/content-digest.ts'
import { refuse } from '../engine/outcome.ts'
import { BodyError } from '../exchange.ts'
import { BodyMemory, HeldBody } from './held-body.ts'

const digestsOf = (content: Buffer): ContentDigests => [
  { algorithm: 'sha-256', digest: createHash('sha256').update(content).digest() },
]
const inPieces = (content: Buffer, size: number): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
    })(),
  )

describe('a held body', () => {
  it.each([
    ['nothing', 0, 1],
    ['single bytes', 10_000, 1],
    ['one piece', 10_000, 10_000],
    ['pieces across pages', 300_001, 7_001],
    ['exactly a page', 4096, 4096],
  ])('goes on as it came, and leaves no memory taken: %s', async (_what, length, size) => {
    const memory = new BodyMemory()
    const body = new HeldBody(memory)
    const content = randomBytes(length)
    expect(await body.fill(inPieces(content, size), digestsOf(content))).toBeUndefined()
    expect(memory.held).toBeGreaterThanOrEqual(length)
    expect(memory.held).toBeLessThan(length + 65_537)
    expect(await buffer(body.stream())).toEqual(content)
    expect(memory.held).toBe(0)
    body.release()
    expect(memory.held).toBe(0)
  })

  it('is refused when it is not what was said, and let go of', async () => {
    const memory = new BodyMemory()
    const wrong = await new HeldBody(memory).fill(
      inPieces(randomBytes(9000), 100),
      digestsOf(randomBytes(9000)),
    )
    expect(wrong?.reason).toBe('signature_digest')
    const absent = await new HeldBody(memory).fill(undefined, digestsOf(Buffer.from('x')))
    expect(absent?.reason).toBe('signature_digest')
    expect(memory.held).toBe(0)
  })

  it('is refused while others leave no room, unless it is alone', async () => {
    const memory = new BodyMemory(100_000)
    const content = randomBytes(200_000)
    const first = new HeldBody(memory)
    expect(await first.fill(inPieces(content, 50_000), digestsOf(content))).toBeUndefined()
    const second = await new HeldBody(memory).fill(inPieces(content, 50_000), digestsOf(content))
    expect(second).toMatchObject({ status: 503, code: 'dependency_unavailable', retryAfter: 1 })
    first.release()
    expect(memory.held).toBe(0)
  })

  it('that breaks off is refused for the reason for which it did', async () => {
    const memory = new BodyMemory()
    const broken = Readable.from(
      (function* () {
        yield Buffer.alloc(100)
        throw new BodyError(refuse('payload_too_large'))
      })(),
    )
    const refusal = await new HeldBody(memory).fill(broken, digestsOf(Buffer.alloc(100)))
    expect(refusal?.reason).toBe('payload_too_large')
    expect(memory.held).toBe(0)
  })

  it('never looks whole when it was let go of on its way', async () => {
    const memory = new BodyMemory()
    const body = new HeldBody(memory)
    const content = randomBytes(300_000)
    await body.fill(inPieces(content, 50_000), digestsOf(content))
    const stream = body.stream()
    stream.once('data', () => body.release())
    await expect(buffer(stream)).rejects.toThrow('let go of')
    expect(memory.held).toBe(0)
  })
})
