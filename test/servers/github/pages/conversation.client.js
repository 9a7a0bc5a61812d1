(() => {
  const talk = document.getElementById('conversation');
  const speaker = document.querySelector('[data-speaker]');
  const kept = localStorage.getItem('speaker');
  if (kept && [...speaker.options].some((option) => option.value === kept)) speaker.value = kept;
  const share = () => document.querySelectorAll('[data-as]').forEach((field) => { field.value = speaker.value; });
  speaker.addEventListener('change', () => { localStorage.setItem('speaker', speaker.value); share(); });
  share();
  const nameOf = (details, at) => details.dataset.key ?? `${details.closest('article')?.id ?? ''}/${details.querySelector('summary')?.textContent ?? at}`;
  let last = '';
  const refresh = async () => {
    try {
      const answer = await fetch(`${location.pathname}/timeline`);
      const html = await answer.text();
      if (!answer.ok || html === last) return;
      last = html;
      const state = new Map([...talk.querySelectorAll('details')].map((one, at) => [nameOf(one, at), one.open]));
      talk.innerHTML = html;
      talk.querySelectorAll('details').forEach((one, at) => { const was = state.get(nameOf(one, at)); if (was !== undefined) one.open = was; });
      share();
    } catch { /* The server is away; the next turn tries again. */ }
  };
  void refresh();
  setInterval(refresh, 1500);
})();
