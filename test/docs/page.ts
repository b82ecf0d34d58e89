/** The fenced blocks of a Markdown page, and the commands in them. */

export interface Block {
  /** First word of the info string: `console`, `mmrace`, `ts` ...; empty when there is none. */
  readonly language: string
  /** The rest of it: the name of the file that the block is. */
  readonly name: string
  readonly text: string
  /** Line of the page on which the text begins, from 1. */
  readonly line: number
}

/** A page as pieces that make it up again when they are joined: prose, and blocks between their fences. */
export type Piece = string | Block

const fence = /^```(?<info>[^\n`]*)\n(?<text>.*?)^```$/gmsu

export const piecesOf = (page: string): ReadonlyArray<Piece> => {
  const pieces: Array<Piece> = []
  let end = 0
  for (const match of page.matchAll(fence)) {
    const info = match.groups!["info"]!
    const text = match.groups!["text"]!
    const start = match.index + "```\n".length + info.length
    const [language = "", ...name] = info.split(" ")
    pieces.push(page.slice(end, start))
    pieces.push({ language, name: name.join(" "), text, line: page.slice(0, start).split("\n").length })
    end = start + text.length
  }
  return [...pieces, page.slice(end)]
}

export const isBlock = (piece: Piece): piece is Block => typeof piece !== "string"

export const blocksOf = (page: string): ReadonlyArray<Block> => piecesOf(page).filter(isBlock)

export interface Sample {
  readonly command: string
  /** What it prints, every line with its newline. */
  readonly output: string
}

/** The commands of a console block (`$ COMMAND`, continued by `\` and `> `) with what is shown under each. */
export const samplesOf = (block: Block): ReadonlyArray<Sample> => {
  const parts = block.text.split(/^\$ /mu)
  if (parts[0] !== "") throw new Error(`line ${block.line}: a console block begins with "$ "`)
  return parts.slice(1).map((part) => {
    const lines = part.split("\n")
    let last = 0
    while (lines[last]!.endsWith("\\")) last++
    const command = lines.slice(0, last + 1).map((line, i) => i === 0 ? line : line.replace(/^> /u, "")).join("\n")
    return { command, output: lines.slice(last + 1).join("\n") }
  })
}

export const renderSamples = (samples: ReadonlyArray<Sample>): string =>
  samples.map(({ command, output }) => `$ ${command.replaceAll("\n", "\n> ")}\n${output}`).join("")

/** Short code between single backquotes, outside of blocks. */
export const codeSpansOf = (page: string): ReadonlyArray<string> =>
  piecesOf(page).flatMap((piece) =>
    isBlock(piece) ? [] : [...piece.matchAll(/`(?<code>[^`\n]+)`/gu)].map((match) => match.groups!["code"]!)
  )
