import { useState } from 'react';
import { buildFacts } from '../buildFacts';

export function Home() {
  const [count, setCount] = useState(0);
  return (
    <>
      <section className="hero">
        <h1>It&rsquo;s live.</h1>
        <p>This page went from a git commit to a URL: fetched, installed, built and published.</p>
        <button type="button" onClick={() => setCount(count + 1)}>
          Clicked {count} {count === 1 ? 'time' : 'times'}
        </button>
      </section>
      <section aria-labelledby="facts">
        <h2 id="facts">This build</h2>
        <dl>
          {buildFacts.map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
    </>
  );
}
