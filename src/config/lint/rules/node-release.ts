import type { Rule } from '../rule.ts'

/** The first release of each line without the known faults. Lines that are not named get no repairs any more. */
const repaired: Readonly<Record<number, readonly [minor: number, patch: number]>> = {
  24: [22, 1],
  26: [12, 1],
}
const newestKnown = 26

export const nodeRelease: Rule = {
  id: 'node-release',
  severity: 'warning',
  about: 'This release of Node.js has known security faults.',
  fix: 'Update Node.js: 24.22.1, 26.12.1, or newer ones of these lines.',
  *find(_, { nodeVersion }) {
    const [major = 0, minor = 0, patch = 0] = nodeVersion
      .replace(/^v/, '')
      .split('.')
      .map((each) => Number.parseInt(each, 10))
    const least = repaired[major]
    const isOld =
      least === undefined ? major < newestKnown : minor < least[0] || (minor === least[0] && patch < least[1])
    if (isOld)
      yield { path: '', message: `Node.js ${nodeVersion.replace(/^v/, '')} has known security faults` }
  },
}
