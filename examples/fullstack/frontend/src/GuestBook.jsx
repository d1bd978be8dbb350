import { useEffect, useState } from 'react';

/** Where the backend runs. Without VITE_API_URL at build time: the same origin, which the dev server proxies. */
const api = import.meta.env.VITE_API_URL ?? '';

export function GuestBook() {
  const [entries, setEntries] = useState([]);
  const [problem, setProblem] = useState('');

  async function call(init) {
    try {
      const answer = await fetch(`${api}/api/entries`, init);
      if (!answer.ok) throw new Error(`the backend answered ${answer.status}`);
      setEntries(await answer.json());
      setProblem('');
    } catch (error) {
      setProblem(`The guest book cannot be reached: ${error.message}`);
    }
  }

  useEffect(() => {
    call();
  }, []);

  function sign(form) {
    return call({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: form.get('name') }),
    });
  }

  return (
    <main>
      <h1>Guest book</h1>
      <form action={sign}>
        <input name="name" aria-label="Your name" placeholder="Your name" maxLength={40} required />
        <button type="submit">Sign</button>
      </form>
      {problem && <p role="alert">{problem}</p>}
      <ul>
        {entries.map((entry) => (
          <li key={entry.id}>
            {entry.name} <time dateTime={entry.at}>{new Date(entry.at).toLocaleTimeString()}</time>
          </li>
        ))}
      </ul>
    </main>
  );
}
