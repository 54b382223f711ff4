/**
 * The corpus through chains of real proxies: nginx and HAProxy, as lax as they can be set, before the gateway and behind it.
 * Before it, they pass on what they misread; behind it, they read what we wrote, as one more reader that nobody here wrote.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requestFamilies } from '../corpus/index.ts'
import type { RequestCase } from '../corpus/request-case.ts'
import { hasProxy, startProxy, type Proxy } from '../harness/proxies.ts'
import { startRecordingUpstream, type RecordingUpstream } from '../harness/recording-upstream.ts'
import { ChainRunner } from '../support/chain-runner.ts'
import { lanes, planes, startCorpusGateway, type CorpusGateway } from '../support/corpus-gateway.ts'
import { CaseRunner } from '../support/corpus-runner.ts'

const clients = 24
/** Milliseconds that a proxy may take to pass on a part of a request. */
const late = 1000
const all = requestFamilies.flatMap((family) => family.cases.map((given) => ({ family, given })))

/** On one data plane each case, on the other each third: the proxies' own time limits are what takes long. */
const steps = { wire: 1, node: 3 } as const

describe.each(planes)('dataPlane: %s', (plane) => {
  describe.each(['nginx', 'haproxy'] as const)('%s', (name) => {
    const cases = all.filter((_, index) => index % steps[plane] === 0)

    async function runAll(
      runners: readonly { run(given: RequestCase): Promise<string[]> }[],
    ): Promise<string[]> {
      const waiting = [...cases].reverse()
      const problems: string[] = []
      const work = async (runner: (typeof runners)[number]): Promise<void> => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
          const { family, given } = next
          const found = await runner.run(given)
          problems.push(...found.map((text) => `${family.name}, ${given.name}: ${text}`))
        }
      }
      await Promise.all(runners.map(work))
      return problems
    }

    describe.skipIf(!hasProxy(name))('before the gateway', () => {
      let corpus: CorpusGateway
      let proxy: Proxy
      beforeAll(async () => {
        corpus = await startCorpusGateway(plane)
        proxy = await startProxy(name, corpus.gateway.port)
      })
      afterAll(async () => {
        await proxy.close()
        await corpus.stop()
      })

      it('makes no request into two, and nobody gets the answer of another', async () => {
        const runners = lanes
          .slice(0, clients)
          .map((lane) => new ChainRunner(proxy.port, corpus.recorder, lane, true))
        expect(await runAll(runners)).toEqual([])
        expect(corpus.recorder.faults).toEqual([])
        // Many cases are good requests, and the proxy lets more of them through.
        const passed = runners.reduce((sum, runner) => sum + runner.passed, 0)
        expect(passed).toBeGreaterThan(cases.length / 4)
        for (const runner of runners) runner.stop()
      }, 120_000)
    })

    describe.skipIf(!hasProxy(name))('behind the gateway', () => {
      let recorder: RecordingUpstream
      let corpus: CorpusGateway
      let proxy: Proxy
      beforeAll(async () => {
        recorder = await startRecordingUpstream()
        proxy = await startProxy(name, recorder.port)
        corpus = await startCorpusGateway(plane, { recorder, upstreamPort: proxy.port })
      })
      afterAll(async () => {
        await corpus.stop()
        await proxy.close()
      })

      it('reads the requests that we meant, and no other', async () => {
        const runners = lanes.slice(0, clients).map((lane) => new CaseRunner(corpus, lane, late))
        expect(await runAll(runners)).toEqual([])
        for (const runner of runners) runner.stop()
      }, 120_000)
    })
  })
})
