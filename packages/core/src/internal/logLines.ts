/** Cutting a stream of text into lines, and the running digest over lines. */
import { createHash } from "node:crypto"

/** Splits text that arrives in pieces at "\n". A "\r" before it is dropped. */
export class LineSplitter {
  /** What came after the last newline so far. */
  rest = ""

  push(text: string): ReadonlyArray<string> {
    const lines: Array<string> = []
    let from = 0
    for (;;) {
      const end = text.indexOf("\n", from)
      if (end < 0) break
      lines.push(withoutReturn(from === 0 ? this.rest + text.slice(0, end) : text.slice(from, end)))
      if (from === 0) this.rest = ""
      from = end + 1
    }
    this.rest = from === 0 ? this.rest + text : text.slice(from)
    return lines
  }
}

const withoutReturn = (line: string): string => line.endsWith("\r") ? line.slice(0, -1) : line

const batch = 1 << 16

/** SHA-256 over lines, each with its "\n", in UTF-8. Hashes in batches: one call per line would cost more than the line. */
export class LineDigest {
  private readonly hash = createHash("sha256")
  private waiting = ""

  line(line: string): void {
    this.waiting += line + "\n"
    if (this.waiting.length >= batch) this.flush()
  }

  /** The digest of the lines so far followed by `last` without newline. The digest must not be used after this. */
  finish(last: string): string {
    this.waiting += last
    this.flush()
    return this.hash.digest("hex")
  }

  private flush(): void {
    this.hash.update(this.waiting, "utf8")
    this.waiting = ""
  }
}
