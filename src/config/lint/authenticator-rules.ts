/** Rules that authenticators bring along themselves, in the form of all others. */
import type { WeaknessRule } from '../../engine/authenticators/kind.ts'
import { authenticatorKinds } from '../../engine/authenticators/registry.ts'
import type { AuthenticatorSettings } from '../../engine/authenticators/settings.ts'
import type { Rule } from './rule.ts'

export const authenticatorRules: readonly Rule[] = authenticatorKinds.flatMap(({ type, weaknesses = [] }) =>
  weaknesses.map((weakness) => ruleOf(type, weakness)),
)

function ruleOf(type: string, { id, severity, about, fix, find }: WeaknessRule<AuthenticatorSettings>): Rule {
  return {
    id,
    severity,
    about,
    fix,
    *find({ authenticators }) {
      for (const [name, settings] of Object.entries(authenticators)) {
        if (settings.type !== type) continue
        for (const { member, message } of find(settings)) {
          yield { path: `authenticators.${name}${member === undefined ? '' : `.${member}`}`, message }
        }
      }
    },
  }
}
