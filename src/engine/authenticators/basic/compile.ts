/** Whose keys a `basic` authenticator takes: those of the configuration's `api-key` authenticator, where there is one. */
import type { AuthenticatorFault, CheckFacts, CompileContext, ParsedAuthenticator } from '../kind.ts'
import type { ParsedApiKey } from '../api-key/schema.ts'
import type { ApiKeySettings } from '../api-key/settings.ts'
import { basicDefaults, type ParsedBasic } from './schema.ts'

const place = Object.freeze({ kind: 'header', name: 'authorization', scheme: 'Basic' } as const)

/** What is not written is as where the same keys come in by themselves: a pepper or a prefix of its own would find none of them. */
export function compileBasic(name: string, parsed: ParsedBasic, context: CompileContext): ApiKeySettings {
  const [model] = modelsFor(parsed, context)
  const { pepper, maxLifetime, ...rest } = { ...basicDefaults, ...rulesOf(model), ...rulesOf(parsed) }
  return {
    type: 'basic',
    takesApiKeys: true,
    name,
    in: [place],
    ...rest,
    ...(maxLifetime === 'none' ? {} : { maxLifetime }),
    ...(pepper === undefined ? {} : { pepper }),
  }
}

/** Where several could be meant, somebody must say which: to guess would let keys in, or keep keys out, by the order of a file. */
export function* checkBasic(
  _name: string,
  parsed: ParsedBasic,
  context: CheckFacts,
): Generator<AuthenticatorFault> {
  const models = modelsFor(parsed, context)
  const prefixes = [...new Set(models.map(({ prefix }) => prefix))]
  if (prefixes.length > 1) {
    yield {
      path: [...context.path, 'prefix'],
      message: 'the keys of the configuration have several prefixes, and nothing says which are meant',
      expected: `one of ${prefixes.join(', ')}`,
    }
    return
  }
  const peppers = new Set(models.map(({ pepper }) => pepper?.reveal()))
  if (parsed.pepper === undefined && peppers.size > 1) {
    yield {
      path: [...context.path, 'pepper'],
      message: 'the keys of the configuration have several peppers, and nothing says which is meant',
      expected: 'the `pepper` of the api-key authenticator whose keys are meant',
    }
  }
}

function modelsFor(parsed: ParsedBasic, { authenticators }: CompileContext): readonly ParsedApiKey[] {
  const all = authenticators.filter(isApiKeyKind)
  return parsed.prefix === undefined ? all : all.filter(({ prefix }) => prefix === parsed.prefix)
}

function isApiKeyKind(parsed: ParsedAuthenticator): parsed is ParsedApiKey {
  return parsed.type === 'api-key'
}

function rulesOf(parsed: Partial<ParsedBasic> | ParsedApiKey | undefined): Omit<ParsedBasic, 'type'> {
  if (parsed === undefined) return {}
  const { prefix, maxLifetime, grace, pepper, onLeak } = parsed
  return {
    ...(prefix === undefined ? {} : { prefix }),
    ...(maxLifetime === undefined ? {} : { maxLifetime }),
    ...(grace === undefined ? {} : { grace }),
    ...(pepper === undefined ? {} : { pepper }),
    ...(onLeak === undefined ? {} : { onLeak }),
  }
}
