/**
 * Loads `portcullis.config.ts` as Node would load it in a project of ES modules, wherever it lies: a CommonJS project, or a
 * folder without a package.json. Each load is a fresh copy of the file and of what it imports by a relative path.
 */
import { existsSync, readFileSync } from 'node:fs'
import {
  createRequire,
  registerHooks,
  type LoadFnOutput,
  type ResolveFnOutput,
  type ResolveHookContext,
} from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Complaint } from '../fault.ts'
import type { Document, Position } from './document.ts'
import { toPlain } from './plain.ts'

export type ModuleResult = (
  | { readonly ok: true; readonly document: Document }
  | { readonly ok: false; readonly complaints: readonly (Complaint & { readonly position?: Position })[] }
) & {
  /** Absolute paths of the files that it imports by a relative path. */
  readonly files: readonly string[]
}

let loads = 0

/** Runs the file: a TypeScript configuration is a program of the operator's, and trusted like the gateway itself. */
export async function readTypeScript(file: string): Promise<ModuleResult> {
  const mark = `portcullis-load=${++loads}`
  const files = new Set<string>()
  const hooks = registerHooks({
    resolve: (specifier, context, next) => resolveFresh(specifier, context, next, mark, files),
    load: (url, context, next) =>
      (url.endsWith(`?${mark}`) ? loadStripped(url) : undefined) ?? next(url, context),
  })
  try {
    const module = (await import(/* @vite-ignore */ `${pathToFileURL(file).href}?${mark}`)) as {
      default?: unknown
    }
    if (module.default === undefined) return { ok: false, complaints: [noExport], files: [...files] }
    const plain = toPlain(module.default)
    if (!plain.ok) return { ...plain, files: [...files] }
    return {
      ok: true,
      document: { value: plain.value, complaints: [], position: () => undefined },
      files: [...files],
    }
  } catch (error) {
    return { ok: false, complaints: [explain(error, file)], files: [...files] }
  } finally {
    hooks.deregister()
  }
}

const noExport: Complaint = {
  path: [],
  message: 'the file has no default export',
  expected: 'export default defineConfig({ … })',
}

type Next = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput

function resolveFresh(
  specifier: string,
  context: ResolveHookContext,
  next: Next,
  mark: string,
  files: Set<string>,
): ResolveFnOutput {
  const isRoot = specifier.endsWith(`?${mark}`)
  if (!isRoot && context.parentURL?.endsWith(`?${mark}`) !== true) return next(specifier, context)
  if (specifier === 'portcullis') return resolvePortcullis(context, next)
  const isOwn = isRoot || /^(\.{1,2}\/|\/|file:)/.test(specifier)
  if (!isOwn) return next(specifier, context)
  const resolved = isRoot
    ? { url: specifier.slice(0, -mark.length - 1) }
    : resolveOwn(specifier, context, next)
  if (!resolved.url.startsWith('file:')) return resolved
  const path = fileURLToPath(resolved.url)
  if (!isRoot) files.add(path)
  if (resolved.format === 'commonjs' && extname(path) !== '.ts') {
    // CommonJS modules are kept by path, whatever the URL says.
    delete createRequire(import.meta.url).cache[path]
  }
  return { ...resolved, url: `${pathToFileURL(path).href}?${mark}`, shortCircuit: true }
}

/** As the compiler lets people write it: `./shared`, or `./shared.js` for `shared.ts`. */
function resolveOwn(specifier: string, context: ResolveHookContext, next: Next): ResolveFnOutput {
  const candidates = [specifier, `${specifier}.ts`, specifier.replace(/\.(m?)js$/, '.$1ts')]
  const parent = context.parentURL
  const found = candidates.find((each) => parent === undefined || existsSync(new URL(each, parent)))
  return next(found ?? specifier, context)
}

/**
 * The project's own Portcullis where it has one; else what a configuration needs of the one that is running, so that a
 * globally installed one works too.
 */
function resolvePortcullis(context: ResolveHookContext, next: Next): ResolveFnOutput {
  try {
    return next('portcullis', context)
  } catch {
    const define = new URL(`../define${extname(import.meta.filename)}`, import.meta.url)
    return { url: define.href, shortCircuit: true }
  }
}

function loadStripped(url: string): LoadFnOutput | undefined {
  const path = fileURLToPath(url)
  if (!/\.m?ts$/.test(path)) return undefined
  // `module-typescript` rather than the format that the nearest package.json asks for: the file is written as a module.
  return { format: 'module-typescript', source: readFileSync(path, 'utf8'), shortCircuit: true }
}

function explain(error: unknown, file: string): Complaint & { readonly position?: Position } {
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown }
  const said = (typeof message === 'string' ? message : String(error)).split('\n')[0]!.trim()
  const position = positionIn(error, file)
  const complaint = { path: [], ...describe(error, code, said) }
  return position === undefined ? complaint : { ...complaint, position }
}

function describe(error: unknown, code: unknown, said: string): { message: string; expected?: string } {
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return {
      message: `an import is not there: ${said}`,
      expected: 'relative imports with their extension, packages installed',
    }
  }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return {
      message: 'enums, namespaces and parameter properties cannot be used here',
      expected: 'TypeScript that Node runs by leaving types out',
    }
  }
  if (error instanceof SyntaxError || code === 'ERR_INVALID_TYPESCRIPT_SYNTAX')
    return { message: `not valid TypeScript: ${said}` }
  return { message: `the file failed while it ran: ${said}` }
}

function positionIn(error: unknown, file: string): Position | undefined {
  const { stack } = (error ?? {}) as { stack?: unknown }
  if (typeof stack !== 'string') return undefined
  const url = pathToFileURL(file).href
  const at = stack.split('\n').find((line) => line.includes(url) || line.startsWith(`${file}:`))
  const match = /:(\d+)(?::(\d+))?\)?$/.exec(at ?? '')
  if (match === null) return undefined
  return { line: Number(match[1]), column: match[2] === undefined ? 1 : Number(match[2]) }
}
