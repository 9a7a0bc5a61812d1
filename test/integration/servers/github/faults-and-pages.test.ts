import { describe, expect, test } from 'vitest';
import { createGithubServer } from '../../../servers/github/github-server.ts';
import { renderMarkdown } from '../../../servers/github/pages/markdown.ts';
import { REPO, smallGithub } from './small-github.ts';

describe('faults', () => {
  test('answer instead, for as many requests as told', async () => {
    await using small = await smallGithub();
    const write = () => small.api('POST', `${REPO}/issues/1/comments`, { body: 'x' });
    small.github.faults.add({
      method: 'POST',
      path: /comments$/,
      times: 2,
      status: 502,
      headers: { 'retry-after': '1' },
    });
    const first = await write();
    expect([first.status, first.headers.get('retry-after')]).toEqual([502, '1']);
    expect([(await write()).status, (await write()).status]).toEqual([502, 201]);
    expect(small.github.comments(small.pull)).toHaveLength(1);
  });

  test('lose the answer of what was done', async () => {
    await using small = await smallGithub();
    const write = () => small.api('POST', `${REPO}/issues/1/comments`, { body: 'x' });
    small.github.faults.add({ path: /comments$/, status: 502, afterHandling: true });
    expect((await write()).status).toBe(502);
    small.github.faults.add({ path: /comments$/, dropConnection: 'after' });
    await expect(write()).rejects.toThrow();
    expect(small.github.comments(small.pull)).toHaveLength(2);
    small.github.faults.add({ path: /comments$/, dropConnection: true });
    await expect(write()).rejects.toThrow();
    expect(small.github.comments(small.pull)).toHaveLength(2);
  });

  test('delay', async () => {
    await using small = await smallGithub();
    small.github.faults.add({ path: /infra$/, delayMs: 300 });
    const started = performance.now();
    expect((await small.api('GET', REPO)).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(290);
  });

  test('the whole host is away: 503, dropped connections, or nobody at the address', async () => {
    await using small = await smallGithub();
    small.github.faults.offline = 'unavailable';
    expect((await small.api('GET', REPO)).status).toBe(503);
    expect((await fetch(`${small.github.url}/acme/infra.git/info/refs?service=git-upload-pack`)).status).toBe(503);
    small.github.faults.offline = 'reset';
    await expect(small.api('GET', REPO)).rejects.toThrow();
    small.github.faults.clear();
    expect((await small.api('GET', REPO)).status).toBe(200);
    await small.github.stopListening();
    await expect(small.api('GET', REPO)).rejects.toThrow();
    await small.github.resumeListening();
    expect((await small.api('GET', REPO)).status).toBe(200);
  });

  test('the books count calls and writes', async () => {
    await using small = await smallGithub();
    await small.api('GET', REPO);
    await small.api('POST', `${REPO}/issues/1/comments`, { body: 'x' });
    expect(small.github.counts).toEqual({ calls: 2, writes: 1 });
    expect(small.github.requests[1]).toMatchObject({
      method: 'POST',
      operation: 'issues/create-comment',
      status: 201,
      token: 'personal',
    });
  });
});

describe('Markdown', () => {
  test.each([
    ['a script', '<script>alert(1)</script>', /script|alert/],
    ['a handler', '<img src="http://x/" onerror="alert(1)">', /onerror/],
    ['a style', '<p style="color:red">x</p><style>p{}</style>', /style/],
    ['a class of the page', '<div class="merge-box">x</div>', /merge-box/],
    ['a script address', '[x](javascript:alert(1))', /javascript:/],
    [
      'a frame and a form',
      '<iframe src="http://x"></iframe><form action="/"><button>x</button></form>',
      /iframe|form|button/,
    ],
    ['a hidden comment', '<!-- holdfast:1 -->', /holdfast/],
    ['a fence that holds HTML', '```diff\n</code></pre><script>1</script>\n```', /<script|<\/pre><script/],
  ])('%s does not get through', (_name, text, forbidden) => {
    expect(renderMarkdown(text)).not.toMatch(forbidden);
  });

  test('tables, details, alerts and coloured diffs do', () => {
    expect(renderMarkdown('| a |\n|---|\n| b |')).toContain('<td>b</td>');
    expect(renderMarkdown('<details open><summary>s</summary>\n\n**x**\n\n</details>')).toMatch(
      /<details open[^>]*><summary>s<\/summary>\s*<p><strong>x/,
    );
    expect(renderMarkdown('> [!WARNING]\n> careful')).toMatch(
      /class="alert alert-warning"><strong>Warning<\/strong><p>careful/,
    );
    const diff = renderMarkdown('```diff\n+ a\n- b\n! c\n  d\n```');
    expect(diff).toContain(
      '<span class="diff-add">+ a</span>\n<span class="diff-del">- b</span>\n<span class="diff-chg">! c</span>\n  d',
    );
  });
});

describe('pages', () => {
  const post = async (address: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    await fetch(address, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual' });

  test('show the conversation, and take a comment and a review from a person', async () => {
    await using small = await smallGithub();
    const { github, pull } = small;
    const page = `${github.url}/acme/infra/pull/1`;
    github.comment(pull, 'ann', '**bold** words');
    expect((await post(`${page}/comment`, { as: 'bob', body: 'holdfast apply', event: '' })).status).toBe(303);
    await post(`${page}/comment`, { as: 'bob', body: '', event: 'APPROVE' });
    const html = await (await fetch(page)).text();
    expect(html).toContain('<strong>bold</strong> words');
    expect(html).toContain('holdfast apply');
    expect(html).toContain('approved these changes');
    expect(pull.reviews[0]).toMatchObject({ state: 'APPROVED', author: { login: 'bob' } });
    expect(await (await fetch(github.url)).text()).toContain('Change a');
    expect((await fetch(`${github.url}/acme/infra/pull/99`)).status).toBe(404);
  });

  test('show an issue, take comments and buttons, and lead to where it went', async () => {
    await using small = await smallGithub();
    const { github, repository } = small;
    const issue = github.openIssue(repository, {
      title: 'Drift of prod',
      author: 'ann',
      body: '```diff\n! a\n- b\n```',
    });
    github.labelIssue(issue, ['drift'], 'ann');
    const page = `${github.url}/acme/infra/issues/2`;
    const location = async (path: string, form: Record<string, string>) =>
      decodeURIComponent((await post(`${page}/${path}`, form)).headers.get('location') ?? '');
    expect(await location('comment', { as: 'bob', body: 'holdfast help' })).toBe('/acme/infra/issues/2');
    const html = await (await fetch(page)).text();
    for (const shown of ['Drift of prod', 'holdfast help', '>drift</span>', 'Open</span>'])
      expect(html).toContain(shown);
    expect(html).toContain('<span class="diff-chg">! a</span>\n<span class="diff-del">- b</span>');
    expect(await (await fetch(`${page}/timeline`)).text()).toContain('holdfast help');
    expect(await (await fetch(github.url)).text()).toContain('href="/acme/infra/issues/2"');
    expect(await location('act', { as: 'eve', act: 'close' })).toMatch(/triage permission is needed/);
    await location('act', { as: 'bob', act: 'not_planned' });
    expect(issue).toMatchObject({ state: 'closed', stateReason: 'not_planned' });
    expect(await (await fetch(page)).text()).toContain('closed this as not planned');
    await location('act', { as: 'bob', act: 'lock' });
    expect(await location('comment', { as: 'eve', body: 'x' })).toMatch(/write permission is needed/);
    expect(await location('act', { as: 'bob', act: 'delete' })).toMatch(/admin permission is needed/);
    const other = await github.createRepository({ owner: 'acme', name: 'other', files: { x: '' } });
    const moved = github.transferIssue(issue, other, 'acme');
    const lead = await fetch(page, { redirect: 'manual' });
    expect(lead.headers.get('location')).toBe(`/acme/other/issues/${moved.number}`);
    expect((await fetch(`${github.url}/acme/infra/issues/1`, { redirect: 'manual' })).headers.get('location')).toBe(
      '/acme/infra/pull/1',
    );
    await post(`${github.url}/acme/other/issues/${moved.number}/act`, { as: 'acme', act: 'delete' });
    expect((await fetch(`${github.url}/acme/other/issues/${moved.number}`)).status).toBe(404);
  });

  test('refuse, with the reason on the page, what the person may not do', async () => {
    await using small = await smallGithub();
    const page = `${small.github.url}/acme/infra/pull/1`;
    const problem = async (path: string, form: Record<string, string>) =>
      decodeURIComponent((await post(`${page}/${path}`, form)).headers.get('location') ?? '');
    expect(await problem('act', { as: 'eve', act: 'merge' })).toMatch(/write permission is needed/);
    expect(await problem('comment', { as: 'ann', event: 'APPROVE', body: '' })).toMatch(/own pull request/);
    expect(await problem('comment', { as: 'mallory', body: 'x' })).toMatch(/who is speaking/);
    const foreign = await post(
      `${page}/comment`,
      { as: 'ann', body: 'holdfast apply' },
      { origin: 'http://evil.example' },
    );
    expect(decodeURIComponent(foreign.headers.get('location') ?? '')).toMatch(/another page/);
    expect(small.github.comments(small.pull)).toEqual([]);
    await post(`${page}/act`, { as: 'bob', act: 'merge' });
    expect(small.pull.merged?.by.login).toBe('bob');
  });
});

test('a server starts in a moment', async () => {
  const started = performance.now();
  await using github = await createGithubServer();
  expect(github.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  // 150 ms on a quiet machine; the bound leaves room for a busy one and still catches validators compiled at the start.
  expect(performance.now() - started).toBeLessThan(600);
});
