/** The small pieces that the sections of the schema are made of. */
import { z } from 'zod'
import { Secret } from '../../engine/secret.ts'
import { Unreadable, type Scalar } from '../scalars/scalar.ts'

/** One word of text, read by a scalar. The issue's message is what is expected; `params.why` says more where it can be said. */
export function word<T>(scalar: Scalar<T>): z.ZodType<T, string> {
  const text = z.string({ error: scalar.expected })
  const checked = text.meta({
    title: scalar.title ?? titleOf(scalar.expected),
    ...(scalar.pattern === undefined ? {} : { pattern: scalar.pattern.source }),
  })
  return checked.transform((value, context) => {
    const read = scalar.read(value)
    if (!(read instanceof Unreadable)) return read
    context.issues.push({
      code: 'custom',
      message: scalar.expected,
      input: value,
      params: read.why === undefined ? {} : { why: read.why },
    })
    return z.NEVER
  })
}

function titleOf(expected: string): string {
  return expected
    .replace(/^(an?|the) /, '')
    .replace(/( above zero| up to | that | as | in |[,:(;]).*$/, '')
    .trim()
}

/** A secret: never shown, not even in the fault that refuses it (`writeOnly` marks it for the fault writer and for editors). */
export function secret(): z.ZodType<Secret, string> {
  const expected = 'a secret: text, best given as ${env:NAME} or ${file:PATH}'
  return z
    .string({ error: expected })
    .min(1, { error: expected })
    .transform((value) => new Secret(value))
    .meta({ writeOnly: true })
}

/** A list with something in it. */
export function list<T, I>(item: z.ZodType<T, I>, expected: string): z.ZodType<T[], I[]> {
  return z
    .array(item, { error: `${expected}, in brackets or one a line after a dash` })
    .min(1, { error: 'at least one' })
}

/** One, or a list. */
export function oneOrMany<T, I>(item: z.ZodType<T, I>, expected: string): z.ZodType<T[], I | I[]> {
  return z
    .union([item, z.array(item).min(1, { error: 'at least one' })], { error: expected })
    .transform((value) => (Array.isArray(value) ? value : [value]))
}

export function integer(least: number, most: number, expected?: string): z.ZodType<number, number> {
  const error = expected ?? `a whole number from ${least} to ${most}`
  return z.int({ error }).min(least, { error }).max(most, { error })
}

/** Names with a value each: `{ name: value }`. */
export function mapping<T, I>(
  key: Scalar<string>,
  value: z.ZodType<T, I>,
): z.ZodType<Record<string, T>, Record<string, I>> {
  const names = z
    .string()
    .refine((found) => !(key.read(found) instanceof Unreadable), { error: key.expected })
  return z.record(key.pattern === undefined ? names : names.meta({ pattern: key.pattern.source }), value)
}

export const flag: z.ZodType<boolean, boolean> = z.boolean()
