/** Loads a configuration: read, resolved, validated, compiled; or every fault at once. */
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import type { Configuration } from '../configuration.ts'
import { unavailable } from './availability.ts'
import type { CheckContext, NamedSection } from './checks/check.ts'
import { checkKeyFiles } from './checks/key-files.ts'
import { checks } from './checks/registry.ts'
import { compile } from './compile.ts'
import { inFileOrder, toFault, type Complaint, type Fault, type Location } from './fault.ts'
import { followsFrom, withoutEchoes } from './echoes.ts'
import { parse } from './parse.ts'
import { formatPath, parsePath, valueAt } from './path.ts'
import { resolveReferences, type Resolution } from './references.ts'
import { literalSecretsIn } from './literal-secrets.ts'
import { createReporter } from './report.ts'
import { readDocument } from './source/read.ts'

export { formatFaults, type Fault, type Location } from './fault.ts'

export interface LoadOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Stand in, with a notice, for secrets that are not there and key files that cannot be read: `check`, `test`, `diff`, `explain`. */
  readonly standIns?: boolean
  /** Checks that need a stage room's own understanding, made once the rest is valid. */
  readonly extraChecks?: readonly ((configuration: Configuration) => readonly ExtraFault[])[]
}

export interface ExtraFault {
  /** Such as `routes[2].match`. */
  readonly path: string
  readonly message: string
}

export interface LoadedConfiguration {
  readonly ok: true
  readonly configuration: Configuration
  /** What is worth telling, though nothing is wrong: what was stood in for. */
  readonly notices: readonly string[]
  /** The file, absolute. */
  readonly file: string
  /** Absolute paths of all files whose change matters: the file itself, what it imports and refers to, certificates and keys. */
  readonly files: readonly string[]
  /** Paths of secrets that are written out in the file, where that can be told. */
  readonly literalSecrets: readonly string[]
  /** Where a key stands; the nearest key around it where it is not written. */
  locate(path: string): Location
}

export interface FaultyConfiguration {
  readonly ok: false
  /** In the order of the file. */
  readonly faults: readonly Fault[]
  readonly file: string
  readonly files: readonly string[]
}

export type LoadResult = LoadedConfiguration | FaultyConfiguration

/** Never throws for what is in a file; a fault says it. */
export async function loadConfiguration(file: string, options: LoadOptions): Promise<LoadResult> {
  const absolute = resolve(file)
  const shown = displayName(absolute)
  const read = await readDocument(absolute)
  const files = [absolute, ...read.files]
  if (!read.ok) {
    const faults = read.complaints.map(({ position, ...complaint }) =>
      toFault(complaint, { file: shown, ...position }),
    )
    return { ok: false, faults: inFileOrder(faults), file: absolute, files }
  }
  const { document } = read
  const folder = dirname(absolute)
  const standIns = options.standIns === true
  const resolution = await resolveReferences(document.value, { env: options.env, folder, standIns })
  const judged = await judge(resolution, folder, standIns)
  const reporter = createReporter(document, shown, resolution.revealed)
  const allFiles = [...new Set([...files, ...resolution.files, ...judged.files])]
  const refuse = (complaints: readonly Complaint[]): FaultyConfiguration => ({
    ok: false,
    faults: inFileOrder([
      ...document.complaints.map(({ position, ...complaint }) =>
        toFault(complaint, { file: shown, ...position }),
      ),
      ...complaints.map((complaint) => reporter.report(complaint)),
    ]),
    file: absolute,
    files: allFiles,
  })
  if (judged.configuration === undefined || document.complaints.length > 0) {
    return refuse(judged.complaints.filter((complaint) => !followsFrom(document.complaints, complaint)))
  }
  const { configuration } = judged
  const extra = (options.extraChecks ?? []).flatMap((check) => check(configuration))
  if (extra.length > 0)
    return refuse(extra.map(({ path, message }) => ({ path: parsePath(path), message, atKey: true })))
  return {
    ok: true,
    configuration,
    notices: [...resolution.notices, ...judged.notices],
    file: absolute,
    files: allFiles,
    literalSecrets: literalSecretsIn(document),
    locate: (path) => reporter.locate(parsePath(path)),
  }
}

interface Judgement {
  readonly configuration: Configuration | undefined
  readonly complaints: readonly Complaint[]
  readonly notices: readonly string[]
  readonly files: readonly string[]
}

async function judge(resolution: Resolution, folder: string, standIns: boolean): Promise<Judgement> {
  const parsed = parse(resolution.value, resolution.standIns)
  const ofShape = [...resolution.complaints, ...parsed.complaints, ...unavailable(parsed.tree)]
  const context: CheckContext | undefined = parsed.configuration && {
    configuration: parsed.configuration,
    routeIndexes: parsed.routeIndexes,
    names: namesIn(parsed.tree),
    tree: parsed.tree,
    folder,
  }
  const keyFiles = context === undefined ? { complaints: [], files: [] } : await checkKeyFiles(context)
  const ofSense = context === undefined ? [] : checks.flatMap((check) => [...check(context)])
  const complaints = withoutEchoes(
    { ofShape, ofSense: standIns ? ofSense : [...ofSense, ...keyFiles.complaints] },
    resolution,
  )
  const absent = standIns
    ? keyFiles.complaints.filter(({ path }) => !resolution.standIns.has(formatPath(path)))
    : []
  const notices = absent.map(
    ({ path, message }) => `${formatPath(path)}: ${message}; nothing stands in its place`,
  )
  const isWhole = complaints.length === 0 && parsed.configuration !== undefined
  return {
    configuration: isWhole ? compile(parsed.configuration, folder, resolution.resolvedTexts) : undefined,
    complaints,
    notices,
    files: keyFiles.files,
  }
}

function namesIn(tree: unknown): Record<NamedSection, ReadonlySet<string>> {
  const names = (section: NamedSection): ReadonlySet<string> => {
    const value = valueAt(tree, [section])
    return new Set(typeof value === 'object' && value !== null ? Object.keys(value) : [])
  }
  return {
    providers: names('providers'),
    authenticators: names('authenticators'),
    upstreams: names('upstreams'),
  }
}

/** As people would type it: relative where it lies below the working folder. */
function displayName(absolute: string): string {
  const name = relative(process.cwd(), absolute)
  return name === '' || name.startsWith('..') || isAbsolute(name) ? absolute : name
}
