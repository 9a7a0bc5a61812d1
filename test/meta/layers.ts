/** Who may import whom. First match counts; every file of `src` and `workers` must be covered. */
export interface Layer {
  readonly name: string;
  readonly files: RegExp;
  /** Folders (or files) of ours that it may import from, besides itself. */
  readonly may: readonly RegExp[];
  /** Packages it may import; undefined: any. `node:` modules count as packages. */
  readonly packages?: readonly RegExp[];
}

const LIB = /^src\/lib\//;
const CORE = /^src\/core\//;
const PORTS = /^src\/ports\//;
const JOBS = /^src\/jobs\//;
const CONFIG = /^src\/config\//;
const COMMENTS = /^src\/comments\//;
const WEBHOOKS = /^src\/webhooks\//;
const PAGES = /^src\/pages\//;

export const LAYERS: readonly Layer[] = [
  { name: 'lib', files: LIB, may: [] },
  { name: 'core', files: CORE, may: [LIB], packages: [/^zod$/, /^semver$/, /^node:(?:crypto|util)$/] },
  { name: 'jobs', files: JOBS, may: [CORE, LIB], packages: [/^zod$/] },
  { name: 'ports', files: PORTS, may: [CORE, JOBS, LIB], packages: [] },
  { name: 'comments', files: COMMENTS, may: [CORE, LIB] },
  { name: 'config', files: CONFIG, may: [CORE, LIB] },
  { name: 'pages', files: PAGES, may: [CORE, COMMENTS, LIB] },
  { name: 'webhooks', files: WEBHOOKS, may: [CORE, PORTS, JOBS, LIB] },
  { name: 'http', files: /^src\/http\//, may: [CORE, PORTS, JOBS, CONFIG, COMMENTS, WEBHOOKS, PAGES, LIB] },
  { name: 'adapters', files: /^src\/adapters\//, may: [CORE, PORTS, JOBS, LIB] },
  {
    name: 'composition roots',
    files: /^src\/(?:main|infrastructure|cli)\.ts$|^src\/commands\//,
    may: [/^src\//, /^workers\//],
  },
  { name: 'bootstrap', files: /^src\/bootstrap\.mjs$/, may: [], packages: [/^node:/] },
  { name: 'workers', files: /^workers\//, may: [CORE, PORTS, JOBS, CONFIG, COMMENTS, LIB] },
];

/** What may be written only in these places, as text of the source. */
export interface Reserved {
  readonly what: string;
  readonly pattern: RegExp;
  readonly onlyIn: RegExp;
}

export const RESERVED: readonly Reserved[] = [
  { what: 'the environment', pattern: /\bprocess\.env\b/, onlyIn: /^src\/(?:bootstrap\.mjs$|commands\/)/ },
  { what: 'a shell', pattern: /\bshell:\s*(?:true|['"`])/, onlyIn: /^$/ },
  {
    what: 'the clock in core',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
    onlyIn: /^(?!src\/core\/)/,
  },
  { what: 'chance in core', pattern: /\bMath\.random\(|\brandomUUID\(|\brandomBytes\(/, onlyIn: /^(?!src\/core\/)/ },
  {
    what: 'node:child_process (execa is our way to start programs)',
    pattern: /['"]node:child_process['"]/,
    onlyIn: /^src\/(?:bootstrap\.mjs$|adapters\/(?:bubblewrap|no-sandbox|embedded-postgres)\/)/,
  },
  { what: 'asking whether it is being tested', pattern: /\bVITEST\b|NODE_ENV/, onlyIn: /^$/ },
  {
    what: 'the name of a VCS host',
    pattern: /['"`](?:github|gitlab)['"`]/i,
    onlyIn: /^src\/(?:adapters\/git(?:hub|lab)\/|config\/|commands\/|main\.ts$|infrastructure\.ts$)/,
  },
];
