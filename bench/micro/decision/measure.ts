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
    const made = Array.from({ length: requests }, (_, at) => scenario.request(at))
    await settle(bench)
    const cost = await spend(made, handle)
    for (const { status } of made)
      if (status !== 200) throw new Error(`${scenario.name}: a request was answered with ${status}`)
    // The first round warms up.
    if (round > 0) costs.push(cost)
  }
  return { main: median(costs.map(({ main }) => main)), all: median(costs.map(({ all }) => all)) }
}

async function spend(made: readonly FakeRequest[], handle: (request: FakeRequest) => void): Promise<Cost> {
  const main = process.threadCpuUsage()
  const all = process.cpuUsage()
  for (let at = 0; at < made.length; at += perTurn) {
    for (const request of made.slice(at, at + perTurn)) handle(request)
    await turn()
  }
  while (made.at(-1)?.status === 0) await turn()
  const spentMain = process.threadCpuUsage(main)
  const spentAll = process.cpuUsage(all)
  return {
    main: (spentMain.user + spentMain.system) / made.length,
    all: (spentAll.user + spentAll.system) / made.length,
  }
}

/** @returns microseconds for each stage, by name; what comes before them is `begin` */
export function measureStages(
  bench: Bench,
  scenario: Scenario,
  requests: number,
): ReadonlyMap<string, number> {
  const spent = new Map<string, number>()
  const note = (name: string, began: bigint): void =>
    void spent.set(name, (spent.get(name) ?? 0) + Number(process.hrtime.bigint() - began) / 1000 / requests)
  for (let from = 0; from < requests; from += perTurn) {
    const made = Array.from({ length: perTurn }, (_, at) => scenario.request(from + at))
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
  return spent
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
