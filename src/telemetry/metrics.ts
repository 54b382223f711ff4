/** Counters, gauges and histograms in the Prometheus text format. Children are bound once, so that counting is an addition. */

export interface Counter {
  add(amount?: number): void
}

export interface Gauge {
  set(value: number): void
}

export interface Histogram {
  /** Seconds. */
  observe(seconds: number): void
}

export interface Family<Child> {
  /** The child for these label values, in the order of the names. Keep it where the path is hot. */
  readonly with: (...values: readonly string[]) => Child
}

/** Seconds; from a tenth of a millisecond, since a warm decision is far below the usual buckets. */
const buckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

/** A flood of strange label values must not fill the memory: beyond this a family answers with its `other` child. */
const maxChildren = 20_000

interface Sample {
  readonly labels: string
  lines(name: string): string
}

export class Registry {
  readonly #families: { name: string; help: string; type: string; samples: () => Iterable<Sample> }[] = []
  readonly #collectors: (() => void)[] = []

  counter(name: string, help: string, labels: readonly string[] = []): Family<Counter> {
    return this.#family(name, help, 'counter', labels, (text) => new Value(text))
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Family<Gauge> {
    return this.#family(name, help, 'gauge', labels, (text) => new Value(text))
  }

  histogram(name: string, help: string, labels: readonly string[] = []): Family<Histogram> {
    return this.#family(name, help, 'histogram', labels, (text) => new Distribution(text))
  }

  /** Runs before each scrape, to set gauges that are read rather than counted. */
  onScrape(collect: () => void): void {
    this.#collectors.push(collect)
  }

  /** @returns the whole registry in the text exposition format 0.0.4 */
  text(): string {
    for (const collect of this.#collectors) collect()
    let out = ''
    for (const { name, help, type, samples } of this.#families) {
      out += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`
      for (const sample of samples()) out += sample.lines(name)
    }
    return out
  }

  #family<Child extends Sample>(
    name: string,
    help: string,
    type: string,
    labels: readonly string[],
    make: (text: string) => Child,
  ): Family<Child> {
    const children = new Map<string, Child>()
    this.#families.push({ name, help, type, samples: () => children.values() })
    const family: Family<Child> = {
      with: (...values: readonly string[]): Child => {
        const bounded = children.size < maxChildren ? values : labels.map(() => 'other')
        const key = bounded.join('\u0000')
        let child = children.get(key)
        if (child === undefined) {
          child = make(labels.map((label, at) => `${label}="${escapeLabel(bounded[at] ?? '')}"`).join(','))
          children.set(key, child)
        }
        return child
      },
    }
    return family
  }
}

class Value implements Counter, Gauge, Sample {
  readonly labels: string
  #value = 0

  constructor(labels: string) {
    this.labels = labels
  }

  add(amount = 1): void {
    this.#value += amount
  }

  set(value: number): void {
    this.#value = value
  }

  lines(name: string): string {
    return `${name}${this.labels === '' ? '' : `{${this.labels}}`} ${this.#value}\n`
  }
}

class Distribution implements Histogram, Sample {
  readonly labels: string
  readonly #counts = new Float64Array(buckets.length + 1)
  #sum = 0

  constructor(labels: string) {
    this.labels = labels
  }

  observe(seconds: number): void {
    let at = 0
    while (at < buckets.length && seconds > buckets[at]!) at += 1
    this.#counts[at]! += 1
    this.#sum += seconds
  }

  lines(name: string): string {
    const comma = this.labels === '' ? '' : `${this.labels},`
    const own = this.labels === '' ? '' : `{${this.labels}}`
    let out = ''
    let total = 0
    for (const [at, count] of this.#counts.entries()) {
      total += count
      out += `${name}_bucket{${comma}le="${buckets[at] ?? '+Inf'}"} ${total}\n`
    }
    return `${out}${name}_sum${own} ${this.#sum}\n${name}_count${own} ${total}\n`
  }
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
