/** Text in lines of at most `width` columns, each after `indent`. */
import wrapAnsi from "wrap-ansi"

export const wrapped = (text: string, width: number, indent = ""): ReadonlyArray<string> =>
  wrapAnsi(text, width - indent.length, { hard: true }).split("\n").map((line) => `${indent}${line}`)
