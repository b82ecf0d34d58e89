/** JSON text that keeps -0, which JSON.stringify writes as 0 although JSON can hold it. */
import type * as Schema from "effect/Schema"

const hasNegativeZero = (value: Schema.Json): boolean => {
  if (typeof value === "number") return Object.is(value, -0)
  if (typeof value !== "object" || value === null) return false
  return Object.values(value).some(hasNegativeZero)
}

const write = (value: Schema.Json): string => {
  if (Object.is(value, -0)) return "-0.0"
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`
  return `{${
    Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${write(member as Schema.Json)}`).join(",")
  }}`
}

export const jsonText = (value: Schema.Json): string => hasNegativeZero(value) ? write(value) : JSON.stringify(value)
