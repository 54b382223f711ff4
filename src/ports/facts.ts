/** Small facts that must outlive a restart, by name (a signing key's number, when something was last done). */
export interface Facts {
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
  /** One atomic step. @returns the value that stands afterwards: the given one, or the one that was there before */
  setIfAbsent(name: string, value: string): Promise<string>
}
