/** Chooses among the targets that take part: by turns, by load or by a key. */
import type { UpstreamSettings } from '../configuration.ts'
import type { Target } from './target.ts'

/** @returns one of the targets that the test admits; undefined when it admits none */
export type Pick = (isCandidate: (target: Target) => boolean, key: string | undefined) => Target | undefined

export function createBalancer(balance: UpstreamSettings['balance'], targets: readonly Target[]): Pick {
  const byTurns: Pick = (isCandidate) => pickByTurns(targets, isCandidate)
  switch (balance) {
    case 'round-robin':
      return byTurns
    case 'least-requests':
      return (isCandidate) => pickByLoad(targets, isCandidate)
    case 'hash': {
      const seeds = new Map(targets.map((target) => [target, hashOf(target.url)]))
      return (isCandidate, key) =>
        key === undefined ? byTurns(isCandidate, key) : pickByKey(seeds, isCandidate, hashOf(key))
    }
  }
}

/** Smooth weighted round-robin: with weights 2 and 1 the order is a b a, not a a b. */
function pickByTurns(
  targets: readonly Target[],
  isCandidate: (target: Target) => boolean,
): Target | undefined {
  let total = 0
  let best: Target | undefined
  for (const target of targets) {
    if (isCandidate(target)) {
      target.credit += target.weight
      total += target.weight
      if (best === undefined || target.credit > best.credit) {
        best = target
      }
    }
  }
  if (best !== undefined) {
    best.credit -= total
  }
  return best
}

/** The least requests in flight for the weight; equals by turns. */
function pickByLoad(
  targets: readonly Target[],
  isCandidate: (target: Target) => boolean,
): Target | undefined {
  let least = Infinity
  for (const target of targets) {
    if (isCandidate(target)) {
      least = Math.min(least, loadOf(target))
    }
  }
  return pickByTurns(targets, (target) => isCandidate(target) && loadOf(target) === least)
}

function loadOf(target: Target): number {
  return (target.inFlight + 1) / target.weight
}

/**
 * Weighted rendezvous hashing: each target draws a number for the key and the highest wins, so that a target that comes
 * or goes moves only the keys that were or will be its own.
 */
function pickByKey(
  seeds: ReadonlyMap<Target, number>,
  isCandidate: (target: Target) => boolean,
  key: number,
): Target | undefined {
  let highest = -Infinity
  let best: Target | undefined
  for (const [target, seed] of seeds) {
    if (isCandidate(target)) {
      const draw = (mix(seed ^ key) + 0.5) / 0x1_0000_0000
      const score = target.weight / -Math.log(draw)
      if (score > highest) {
        highest = score
        best = target
      }
    }
  }
  return best
}

/** FNV-1a over UTF-16 units, then mixed. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return mix(hash)
}

/** The finaliser of MurmurHash3: spreads each bit over all 32. */
function mix(value: number): number {
  let mixed = value
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
