/** What both data planes for HTTP/1.1 do where a request cannot be handed over as it should. */
import { refuse, type Refusal } from '../engine/outcome.ts'
import type { Answer, ServerRequest } from '../exchange.ts'
import type { ListenerOptions } from './listener.ts'
import { requestIdOf } from './request-id.ts'

type Options = Pick<ListenerOptions, 'refuse' | 'onFault'>

/** @returns the answer that refuses a request which was one already */
export function refusalOfRequest(request: ServerRequest, refusal: Refusal, options: Options): Answer {
  const { method, target, fields, connection } = request
  return options.refuse(refusal, { requestId: requestIdOf(fields), method, target, fields, connection })
}

/**
 * A bug must neither hang the client nor end the process.
 *
 * @param cut ends the connection, where an answer is out already or none can be given
 */
export function recover(
  request: ServerRequest,
  fault: unknown,
  options: Options,
  { isAnswered, cut }: { readonly isAnswered: boolean; readonly cut: () => void },
): void {
  options.onFault?.(fault, requestIdOf(request.fields))
  try {
    if (isAnswered) cut()
    else request.answer(refusalOfRequest(request, refuse('internal_error'), options))
  } catch {
    cut()
  }
}
