/** The sums of the bench: a wrong one would make every table lie. */
import { describe, expect, it } from 'vitest'
import { isChosen } from '../../bench/choose.ts'
import { sumUp, type CpuProfile } from '../../bench/profile/cpu-profile.ts'
import { placeOf, readShares } from '../../bench/profile/perf.ts'
import { median, percentile, spread } from '../../bench/statistics.ts'

describe('statistics', () => {
  it('take the middle of an odd number of values, and the mean of the two in the middle of an even one', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([9, 1, 5, 7])).toBe(6)
    expect(median([])).toBeNaN()
  })

  it('give a percentile that was seen', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
    expect(percentile(hundred, 50)).toBe(50)
    expect(percentile(hundred, 99)).toBe(99)
    expect(percentile(hundred, 99.9)).toBe(100)
    expect(percentile([4], 99.9)).toBe(4)
    expect(percentile([], 50)).toBeNaN()
  })

  it('tell how far apart the furthest two are', () => {
    expect(spread([90, 100, 120])).toBeCloseTo(0.3)
  })
})

describe('--only', () => {
  const names = [
    'nginx TLS',
    'portcullis wire routes 10',
    'portcullis wire routes 10000',
    'nginx plain (again)',
  ]
  const chosen = (...patterns: string[]): string[] => names.filter((name) => isChosen(name, patterns, names))

  it('takes everything where nothing is said', () => expect(chosen()).toEqual(names))

  it('looks for words, with stars, whatever their case', () => {
    expect(chosen('tls', 'wire*10000')).toEqual(['nginx TLS', 'portcullis wire routes 10000'])
    expect(chosen('(again)')).toEqual(['nginx plain (again)'])
  })

  it('takes a whole name for that row alone', () => {
    expect(chosen('portcullis wire routes 10')).toEqual(['portcullis wire routes 10'])
  })
})

describe('a profile', () => {
  const frame = (
    id: number,
    functionName: string,
    url = '',
    lineNumber = -1,
  ): CpuProfile['nodes'][number] => ({
    id,
    callFrame: { functionName, url, lineNumber },
  })
  const profile: CpuProfile = {
    nodes: [
      frame(1, '(idle)'),
      frame(2, 'parse', 'file:///house/src/wire/head.ts', 41),
      frame(3, '(garbage collector)'),
      frame(4, 'get', 'file:///house/node_modules/@scope/cache/index.js', 0),
      frame(5, 'writev'),
      frame(6, 'onread', 'node:net', 10),
    ],
    startTime: 1000,
    samples: [2, 2, 1, 3, 4, 5, 6, 2],
    timeDeltas: [50, 10, 100, 5, 4, 3, 2, 500],
  }

  it('adds up what happened in the window, without idling, by function, file and room', () => {
    // The first sample is at 1050, the last one at 1674.
    const sums = sumUp(profile, 1055, 1500, '/house')
    expect(sums.busyMicros).toBe(10 + 5 + 4 + 3 + 2)
    expect(sums.idleMicros).toBe(100)
    expect(sums.functions[0]).toEqual({ name: 'parse src/wire/head.ts:42', micros: 10 })
    expect(sums.rooms).toEqual([
      { name: 'src/wire', micros: 10 },
      { name: 'garbage collection', micros: 5 },
      { name: '@scope/cache', micros: 4 },
      { name: 'native code and the kernel', micros: 3 },
      { name: "Node.js's own JavaScript", micros: 2 },
    ])
  })

  it("reads perf's report, and adds up what comes to the same place", () => {
    const report =
      '    50.25%\t[kernel.kallsyms]\n    20.00%\tperf-77.map   \n     5.00%\t[JIT] tid 77\n     1.00%\tlibc.so.6\n\nnonsense\n'
    expect(readShares(report, placeOf)).toEqual([
      { name: 'kernel', part: 0.5025 },
      { name: 'compiled JavaScript', part: 0.25 },
      { name: 'libc.so.6', part: 0.01 },
    ])
  })
})
