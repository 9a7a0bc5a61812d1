/** What hosts take for a login; others have a word that says where somebody did it, with a space in it. */
const LOGIN = /^[\w.-]+(?:\[bot\])?$/;

/** `@ann`, or where somebody did it whose login is not known, such as on the pages. */
export function whoText(login: string): string {
  return LOGIN.test(login) ? `@${login}` : login;
}
