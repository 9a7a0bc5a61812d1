/** `<!-- holdfast:plan:ID -->`; `id` has letters, digits, `-` and `_` only, so that it cannot end the HTML comment. */
export function hiddenMarker(kind: 'plan' | 'reply' | 'drift', id: string): string {
  if (!/^[\w-]{1,100}$/.test(id)) throw new TypeError(`not an id for a comment: ${JSON.stringify(id.slice(0, 100))}`);
  return `<!-- holdfast:${kind}:${id} -->`;
}
