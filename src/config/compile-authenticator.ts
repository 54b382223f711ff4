/** An authenticator from what was written to what the engine reads, by its own kind. */
import { resolve } from 'node:path'
import type { CompileContext, ParsedAuthenticator } from '../engine/authenticators/kind.ts'
import { kindOf } from '../engine/authenticators/registry.ts'
import type { AuthenticatorSettings } from '../engine/authenticators/settings.ts'
import type { ParsedConfiguration } from './schema.ts'

export function compileContext(
  publicUrl: readonly string[],
  folder: string,
  authenticators: Readonly<Record<string, ParsedAuthenticator>>,
): CompileContext {
  return {
    resolve: (path) => resolve(folder, path),
    publicUrl,
    authenticators: Object.values(authenticators),
  }
}

/** Every public origin: those of all listeners, then what single ones have for themselves. */
export function originsOf({
  publicUrl,
  listeners,
}: Pick<ParsedConfiguration, 'publicUrl' | 'listeners'>): readonly string[] {
  return [...new Set([...(publicUrl ?? []), ...listeners.flatMap((listener) => listener.publicUrl ?? [])])]
}

/** @returns undefined for a type that this version describes and does not build: availability complains of it */
export function compileAuthenticator(
  name: string,
  parsed: ParsedAuthenticator,
  context: CompileContext,
): AuthenticatorSettings | undefined {
  return kindOf(parsed.type)?.compile(name, parsed, context)
}
