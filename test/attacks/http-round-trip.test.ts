/**
 * Requests made at random, by the grammar and off it, through a whole gateway: whatever it takes for requests is answered one by one,
 * arrives whole, with its own body and its sender's identity, and leaves the next client alone.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { credential } from '../corpus/request-case.ts'
import { corpusInputs } from '../fuzz/corpus-inputs.ts'
import { generateRequests, mutate } from '../fuzz/generate.ts'
import { readWithOurs } from '../fuzz/ours.ts'
import { Random } from '../fuzz/random.ts'
import type { Input } from '../fuzz/reading.ts'
import { ChainRunner } from '../support/chain-runner.ts'
import { cutAt } from '../support/corpus-cuts.ts'
import { lanes, planes, startCorpusGateway, type CorpusGateway } from '../support/corpus-gateway.ts'
import type { Cut } from '../support/corpus-runner.ts'

const clients = 16
const inputs = 2500

/** The generator knows no credential: it stands beside Host, where that is plain. */
function withKey(input: Input): Input {
  return { ...input, bytes: input.bytes.replaceAll('Host: x\r\n', `Host: x\r\n${credential}\r\n`) }
}

function make(random: Random, corpus: readonly Input[]): Input {
  const other = withKey(generateRequests(random))
  const base = random.once(5) ? random.pick(corpus) : other
  return random.once(2) ? base : mutate(random, base, other)
}

/** In two packets, cut anywhere, or in one. */
function cutOf(random: Random): Cut {
  const at = random.once(2) ? 0 : random.below(1_000_000)
  return (bytes) => (at === 0 || bytes.length < 2 ? [bytes] : cutAt(1 + (at % (bytes.length - 1)))(bytes))
}

describe.each(planes)('dataPlane: %s', (plane) => {
  let corpus: CorpusGateway
  beforeAll(async () => {
    corpus = await startCorpusGateway(plane)
  })
  afterAll(() => corpus.stop())

  it('makes of random bytes only requests that are answered, whole and their sender’s', async () => {
    const random = new Random(20_261_130)
    const requests = corpusInputs().filter(({ side, bytes }) => side === 'request' && bytes.length < 2000)
    let left = inputs
    const problems: string[] = []
    const runners = lanes
      .slice(0, clients)
      .map((lane) => new ChainRunner(corpus.gateway.port, corpus.recorder, lane))
    const work = async (runner: ChainRunner): Promise<void> => {
      while (left > 0) {
        left -= 1
        const input = make(random, requests)
        const cut = cutOf(random)
        // The first data plane takes a little more than ours, and what it takes must still hold to the rest.
        const bodies = plane === 'wire' ? readWithOurs(input).messages.map(({ body }) => body) : undefined
        const found = await runner.run(
          { parts: [input.bytes], then: 'unfinished' },
          { cut, ...(bodies === undefined ? {} : { bodies }) },
        )
        problems.push(...found.map((text) => `${JSON.stringify(input.bytes)}: ${text}`))
      }
    }
    await Promise.all(runners.map(work))
    expect(problems).toEqual([])
    expect(corpus.recorder.faults).toEqual([])
    expect(runners.reduce((sum, runner) => sum + runner.passed, 0)).toBeGreaterThan(inputs / 10)
    for (const runner of runners) runner.stop()
  }, 120_000)
})
