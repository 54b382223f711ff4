/** Every way that we know to make an answer end elsewhere than it seems, at a whole gateway, on both data planes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { responseFamilies } from '../corpus/index.ts'
import type { ResponseCase } from '../corpus/response-case.ts'
import { startHostileUpstream, type HostileUpstream } from '../harness/hostile-upstream.ts'
import { byteByByte, cutAt, cutsPerCase, positions } from '../support/corpus-cuts.ts'
import { lanes, planes, startCorpusGateway, type CorpusGateway } from '../support/corpus-gateway.ts'
import { ResponseRunner } from '../support/corpus-responses.ts'
import type { Cut } from '../support/corpus-runner.ts'

const all = responseFamilies.flatMap((family) => family.cases.map((given) => ({ family, given })))

describe.each(planes)('dataPlane: %s', (plane) => {
  let upstream: HostileUpstream
  let corpus: CorpusGateway
  let runner: ResponseRunner
  beforeAll(async () => {
    upstream = await startHostileUpstream()
    corpus = await startCorpusGateway(plane, { upstreamPort: upstream.port })
    runner = new ResponseRunner(corpus, upstream, lanes[0]!)
  })
  afterAll(async () => {
    runner.stop()
    await corpus.stop()
    await upstream.close()
  })

  /** One after another: what an upstream sends late may meet the next request on its connection, which nobody can tell apart. */
  async function runCut(cuts: (given: ResponseCase) => readonly Cut[]): Promise<string[]> {
    const problems: string[] = []
    for (const { family, given } of all)
      for (const [index, cut] of cuts(given).entries()) {
        const found = await runner.run(given, cut)
        problems.push(...found.map((text) => `${family.name}, ${given.name}, cut ${index}: ${text}`))
      }
    return problems
  }

  describe.each(responseFamilies)('$name', ({ cases }) => {
    it.each(cases)('$name', async (given) => {
      expect(await runner.run(given)).toEqual([])
    })
  })

  it('reads an answer the same wherever its packets are cut', async () => {
    const cuts = (given: ResponseCase): Cut[] =>
      positions(given.parts[0]!, cutsPerCase).map((position) => cutAt(position))
    expect(await runCut(cuts)).toEqual([])
  }, 600_000)

  it('reads an answer the same byte by byte', async () => {
    const isShort = (given: ResponseCase): boolean => given.parts.join('').length < 100
    expect(await runCut((given) => (isShort(given) ? [byteByByte] : []))).toEqual([])
  }, 120_000)
})
