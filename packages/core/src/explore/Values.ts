/**
 * Structural identity of values: equal plain values get one representative and one number. Plain are primitives,
 * arrays and objects made with `{}`; anything else (class instances, functions) is equal to itself only, which can
 * only make the exploration do more than it had to.
 */

export class Values {
  /** By primitive or representative. */
  private readonly numbers = new Map<unknown, number>()
  private readonly byText = new Map<string, object>()

  /** The first value seen that equals this one; primitives stand for themselves. Fit to be a key of a Map. */
  representative(value: unknown): unknown {
    if (typeof value !== "object" || value === null || this.numbers.has(value)) return value
    const text = this.text(value)
    if (text !== undefined) {
      const same = this.byText.get(text)
      if (same !== undefined) return same
      this.byText.set(text, value)
    }
    this.numbers.set(value, this.numbers.size)
    return value
  }

  /** A small whole number, the same for equal values. */
  number(value: unknown): number {
    const key = this.representative(value)
    let number = this.numbers.get(key)
    if (number === undefined) this.numbers.set(key, number = this.numbers.size)
    return number
  }

  private text(value: object): string | undefined {
    if (Array.isArray(value)) {
      let text = "["
      for (let i = 0; i < value.length; i++) text += `${this.number(value[i])},`
      return text
    }
    if (!isPlainRecord(value)) return undefined
    let text = "{"
    for (const key of Object.keys(value).sort()) text += `${JSON.stringify(key)}:${this.number(value[key])},`
    return text
  }
}

/** An object made with `{}`, without symbols among its keys. */
export const isPlainRecord = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && Object.getOwnPropertySymbols(value).length === 0
}
