import type { ParsedFile, SourceFile } from '../core/configuration-file.ts';

/**
 * Reads Terraform's configuration language (HCL and its JSON form) without evaluating it: no functions, variables,
 * includes or files are followed. The text is hostile; whatever it holds, the answer is a body or a problem in words,
 * within the parser's own limits of time and memory, and never an exception.
 */
export interface HclParser {
  /** The file's form is chosen by its name: `.json` is read as JSON, everything else as HCL. The answers keep the order of the files. */
  parse(files: readonly SourceFile[]): Promise<readonly ParsedFile[]>;
  close(): Promise<void>;
}
