// How long requests take: on the thread that decides, and on all threads of the process.
import { ExchangeState } from '../../../src/gateway/exchange-state.ts'
import { createHandler } from '../../../src/gateway/handle.ts'
import { stages } from '../../../src/pipeline.ts'
import { requestIdOf } from '../../../src/server/request-id.ts'
import { traceContextOf } from '../../../src/server/traceparent.ts'
import type { Bench } from './gateway.ts'
import type { FakeRequest, Scenario } from './requests.ts'

/** Microseconds for a request. */
export interface Cost {
  /** CPU time of the thread that decides. */
  readonly main: number
  /** CPU time of the process: the log's writing, its index, garbage. */
  readonly all: number
}

const perTurn = 32
const perStage = 100

/** @returns the median of the rounds: the best one would hide garbage and the log */
export async function measure(
  bench: Bench,
  scenario: Scenario,
  requests: number,
  rounds: number,
): Promise<Cost> {
  const handle = createHandler(() => bench.snapshot)
  const costs: Cost[] = []
  for (let round = 0; round <= rounds; round += 1) {
    // What takes long to make is made ahead; the rest is made as it comes, or else all of it would be old garbage.
    const ahead = scenario.most === undefined ? undefined : makeAll(scenario, requests)
    const make = (at: number): FakeRequest => ahead?.[at] ?? scenario.request(at)
    await settle(bench)
    const making = await spend(requests, make, () => undefined)
    const both = await spend(requests, make, handle)
    // The first round warms up.
    if (round > 0) costs.push({ main: both.main - making.main, all: both.all - making.all })
  }
  return { main: median(costs.map(({ main }) => main)), all: median(costs.map(({ all }) => all)) }
}

function makeAll(scenario: Scenario, requests: number): readonly FakeRequest[] {
  return Array.from({ length: requests }, (_, at) => scenario.request(at))
}

async function spend(
  requests: number,
  make: (at: number) => FakeRequest,
  take: ((request: FakeRequest) => void) | (() => undefined),
): Promise<Cost> {
  const main = process.threadCpuUsage()
  const all = process.cpuUsage()
  for (let from = 0; from < requests; from += perTurn) {
    const made: FakeRequest[] = []
    for (let at = from; at < from + perTurn; at += 1) {
      const request = make(at)
      made.push(request)
      take(request)
    }
    await turn()
    for (const request of made) if (take.length > 0) await answered(request)
  }
  const spentMain = process.threadCpuUsage(main)
  const spentAll = process.cpuUsage(all)
  return {
    main: (spentMain.user + spentMain.system) / requests,
    all: (spentAll.user + spentAll.system) / requests,
  }
}

async function answered(request: FakeRequest): Promise<void> {
  while (request.status === 0) await turn()
  if (request.status !== 200) throw new Error(`${request.target} was answered with ${request.status}`)
}

/** @returns microseconds for each stage, by name; what comes before them is `begin`. Elapsed time, the median of many batches */
export function measureStages(
  bench: Bench,
  scenario: Scenario,
  batches: number,
): ReadonlyMap<string, number> {
  const spent = new Map<string, number[]>()
  const note = (name: string, began: bigint): void => {
    const each = Number(process.hrtime.bigint() - began) / 1000 / perStage
    const known = spent.get(name)
    if (known === undefined) spent.set(name, [each])
    else known.push(each)
  }
  for (let batch = 0; batch < batches; batch += 1) {
    const made = Array.from({ length: perStage }, (_, at) => scenario.request(batch * perStage + at))
    let began = process.hrtime.bigint()
    const exchanges = made.map((server) => begin(bench, server))
    note('begin', began)
    for (const stage of stages) {
      if (stage.name === 'forward') break
      began = process.hrtime.bigint()
      for (const exchange of exchanges) {
        const result = stage.run(exchange)
        if (result !== undefined) throw new Error(`${scenario.name}: ${stage.name} did not simply go on`)
      }
      note(stage.name, began)
    }
  }
  return new Map([...spent].map(([name, each]) => [name, median(each)]))
}

function begin(bench: Bench, server: FakeRequest): ExchangeState {
  const exchange = new ExchangeState(requestIdOf(server.fields), server, bench.snapshot)
  const trace = traceContextOf(server.fields)
  exchange.traceparent = trace.traceparent
  exchange.tracestate = trace.tracestate
  return exchange
}

/** Writes what the log still holds, so that no round pays for the one before. */
export async function settle({ foundation }: Bench): Promise<void> {
  const { audit } = foundation
  if ('flush' in audit) await (audit.flush as () => Promise<void>).call(audit)
  await turn()
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
