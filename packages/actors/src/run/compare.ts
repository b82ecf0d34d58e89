import type { Comparator } from "../program/index.ts"

/** `a = b`, `a < b` ... on numbers. */
export const compare = (a: number, comparator: Comparator, b: number): boolean => {
  switch (comparator) {
    case "=":
      return a === b
    case "!=":
      return a !== b
    case "<":
      return a < b
    case "<=":
      return a <= b
    case ">":
      return a > b
    case ">=":
      return a >= b
  }
}
