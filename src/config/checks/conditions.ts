/** CEL conditions, compiled when the configuration loads: a mistyped name must not wait for the first request. */
import { checkCondition } from '../../engine/authorization/cel/condition.ts'
import type { Check } from './check.ts'
import { authorizeMembers } from './routes.ts'

export const checkConditions: Check = function* (context) {
  for (const { authorize, path } of authorizeMembers(context)) {
    const fault = authorize.when === undefined ? undefined : checkCondition(authorize.when)
    if (fault !== undefined) {
      yield {
        path: [...path, 'when'],
        message: fault,
        quotes: true,
        expected:
          'a condition over identity, request and route, such as identity.tenant == "acme" && request.method == "GET"',
      }
    }
  }
}
