/** A parsed body: blocks and attributes by name. Expressions that are not plain literals stay text, as `${...}`. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A file as read from a commit. `path` has slashes and starts at the repository's top. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What became of one file: its body in hcl2json's form, or a problem in words with file and line. */
export type ParsedFile =
  | { readonly path: string; readonly body: JsonObject }
  | { readonly path: string; readonly problem: string };

export type TerraformDistribution = 'terraform' | 'opentofu';
