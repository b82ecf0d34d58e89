/** Schema of a kernel in a file: the text {@link Kernel.parse} reads, decoded. */
import { Effect, Schema, SchemaIssue, SchemaTransformation } from "effect"
import { isKernel, Kernel } from "./Kernel.ts"

export const KernelFromText = Schema.String.pipe(
  Schema.decodeTo(
    Schema.declare(isKernel, { expected: "a kernel such as 6.8,x86-64" }),
    SchemaTransformation.transformEffect({
      decode: (text, options) =>
        Effect.mapError(
          Effect.fromResult(Kernel.parse(text)),
          ({ message }) => new SchemaIssue.InvalidValue({ message }, text, options)
        ),
      encode: (kernel) => Effect.succeed(String(kernel))
    })
  )
)
