/**
 * `npm run conformance -- DIR`. The players are plain JavaScript: the rows are another program's data in shapes of its
 * own, and types for them would describe nothing of ours.
 */
export {};

await import(new URL('./play.mjs', import.meta.url).href);
