/** One entry of the admin API's table: the server serves it and the OpenAPI document describes it, from the same words. */
import type { z } from 'zod'
import type { Actor } from '../keys/events.ts'
import { KeyProblem } from '../keys/problem.ts'

export interface Operation {
  readonly id: string
  readonly method: 'GET' | 'POST'
  /** With parameters as `{id}`. */
  readonly path: string
  readonly tag: 'health' | 'keys' | 'revocations' | 'audit' | 'providers' | 'description'
  readonly summary: string
  /** `open`: health and metrics, for whoever reaches the address. `token`: for operators. */
  readonly access: 'open' | 'token'
  readonly query?: z.ZodObject
  readonly body?: BodyDescription
  /** By status. Refusals are described for all operations at once. */
  readonly answers: Readonly<Record<number, AnswerDescription>>
  handle(call: Call): Reply | Promise<Reply>
}

export interface BodyDescription {
  readonly schema: z.ZodType
  readonly isRequired: boolean
  /** Bytes; 1 MiB unless said otherwise. */
  readonly limit?: number
}

export interface AnswerDescription {
  readonly description: string
  /** Of a JSON answer. */
  readonly schema?: z.ZodType
  /** Of an answer that is not JSON. */
  readonly type?: string
}

export interface Call {
  readonly parameters: Readonly<Record<string, string>>
  readonly query: unknown
  readonly body: unknown
  readonly actor: Actor
}

export interface Reply {
  readonly status: number
  /** Sent as JSON, or as it is where `type` is given. */
  readonly body: unknown
  readonly type?: string
  readonly fields?: Readonly<Record<string, string>>
}

/** @throws KeyProblem naming each member that does not fit */
export function parseAs<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const faults = result.error.issues.map(({ path, message }) => ({ path: pathOf(path), message }))
  throw new KeyProblem('invalid', faults)
}

function pathOf(members: readonly PropertyKey[]): string {
  return members.reduce<string>((path, member) => {
    if (typeof member === 'number') return `${path}[${member}]`
    return path === '' ? String(member) : `${path}.${String(member)}`
  }, '')
}
