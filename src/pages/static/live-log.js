/*
 * Follows the log of a run. The stream's events:
 *   (default)  data: one or more lines of the log; `id:` is what the browser sends back as Last-Event-ID when it connects again
 *   state      data: what to say of the run while it goes on, such as "refreshed 12 of 40"
 *   end        the run has ended; the page is loaded once more for its final state
 * Connecting again after a break is the browser's own doing; the server goes on after Last-Event-ID.
 */
(() => {
  const log = document.getElementById('log');
  const address = log?.dataset.events;
  if (!log || !address) return;
  const code = log.querySelector('code');
  const state = document.getElementById('log-state');
  const progress = document.getElementById('progress');
  const MOST_PIECES = 5000;
  let waiting = '';

  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const show = () => {
    const follow = atEnd();
    code.append(waiting);
    waiting = '';
    while (code.childNodes.length > MOST_PIECES) code.firstChild.remove();
    if (follow) log.scrollTop = log.scrollHeight;
  };

  log.scrollTop = log.scrollHeight;
  const events = new EventSource(address);
  events.onopen = () => {
    state.textContent = 'Live';
  };
  events.onerror = () => {
    const over = events.readyState === EventSource.CLOSED;
    state.textContent = over
      ? 'The log cannot be followed right now. Load the page again to see more.'
      : 'The connection broke; trying again …';
  };
  events.onmessage = ({ data }) => {
    if (waiting === '') requestAnimationFrame(show);
    waiting += `${data}\n`;
  };
  events.addEventListener('state', ({ data }) => {
    progress.textContent = data;
  });
  events.addEventListener('end', () => {
    events.close();
    location.reload();
  });
})();
