import { formatDuration } from '../../scalars/quantities.ts'
import type { Rule } from '../rule.ts'

const most = 5 * 60_000

export const clockSkew: Rule = {
  id: 'clock-skew',
  severity: 'warning',
  about:
    "A provider's clock may be more than five minutes off: tokens are good for that long after they expired.",
  fix: 'Keep clocks by NTP, and `clockSkew` at 30s.',
  *find({ providers }) {
    for (const [name, { clockSkew: skew }] of Object.entries(providers)) {
      if (skew > most)
        yield {
          path: `providers.${name}.clockSkew`,
          message: `tokens of "${name}" are good for ${formatDuration(skew)} after they expired`,
        }
    }
  },
}
