/** Every published way to make two readers of HTTP/1.1 differ about a request, at a whole gateway, on both data planes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestFamilies } from '../corpus/index.ts'
import type { RequestCase } from '../corpus/request-case.ts'
import { byteByByte, cutAt, cutsPerCase, positions } from '../support/corpus-cuts.ts'
import { lanes, planes, startCorpusGateway, type CorpusGateway } from '../support/corpus-gateway.ts'
import { CaseRunner, type Cut } from '../support/corpus-runner.ts'

/** Clients at a time where packets are cut: most of what they do is wait. */
const clients = 8

const all = requestFamilies.flatMap((family) => family.cases.map((given) => ({ family, given })))

describe.each(planes)('dataPlane: %s', (plane) => {
  let corpus: CorpusGateway
  let runners: CaseRunner[]
  beforeAll(async () => {
    corpus = await startCorpusGateway(plane)
    runners = lanes.slice(0, clients).map((lane) => new CaseRunner(corpus, lane))
  })
  afterAll(async () => {
    for (const runner of runners) runner.stop()
    await corpus.stop()
  })

  /** Runs each case in one piece and then once for each of its cuts. */
  async function runCut(cuts: (given: RequestCase) => readonly Cut[], step = 1): Promise<string[]> {
    const waiting = all.filter((_, index) => index % step === 0).reverse()
    const problems: string[] = []
    const work = async (runner: CaseRunner): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const { family, given } = next
        for (const [index, cut] of [undefined, ...cuts(given)].entries()) {
          const found = await runner.run(given, cut)
          problems.push(...found.map((text) => `${family.name}, ${given.name}, cut ${index}: ${text}`))
        }
      }
    }
    await Promise.all(runners.map(work))
    return problems
  }

  describe.each(requestFamilies)('$name', ({ cases }) => {
    it.each(cases)('$name', async (given) => {
      expect(await runners[0]!.run(given)).toEqual([])
    })
  })

  it('reads a case the same wherever its packets are cut', async () => {
    const cuts = (given: RequestCase): Cut[] =>
      positions(given.parts.join(''), cutsPerCase).map((position) => cutAt(position))
    expect(await runCut(cuts)).toEqual([])
  }, 600_000)

  it('reads a case the same byte by byte', async () => {
    const isShort = (given: RequestCase): boolean => given.parts.join('').length < 1000
    expect(await runCut((given) => (isShort(given) ? [byteByByte] : []), 7)).toEqual([])
  }, 120_000)

  it('leaves nothing at the upstream that nobody sent', async () => {
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(corpus.recorder.unfinished().map(({ rest }) => rest.slice(0, 300))).toEqual([])
    expect(corpus.recorder.faults).toEqual([])
    expect(corpus.recorder.messages.length).toBeGreaterThan(1000)
    expect(corpus.gateway.lines.filter((line) => /"level":[56]0/.test(line))).toEqual([])
  })
})
