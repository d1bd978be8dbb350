import { render } from 'preact';
import { useState } from 'preact/hooks';
import './style.css';

const colours = [
  { name: 'Ochre', hue: 40 },
  { name: 'Moss', hue: 110 },
  { name: 'Slate', hue: 215 },
  { name: 'Plum', hue: 300 },
];

function App() {
  const [hue, setHue] = useState(110);
  return (
    <main style={{ '--hue': String(hue) }}>
      <h1>Preact, installed with pnpm</h1>
      <p>The lockfile is pnpm&rsquo;s and &ldquo;packageManager&rdquo; names the version, so that is what built it.</p>
      <div role="group" aria-label="Colour">
        {colours.map((colour) => (
          <button key={colour.name} type="button" onClick={() => setHue(colour.hue)}>
            {colour.name}
          </button>
        ))}
      </div>
    </main>
  );
}

render(<App />, document.body);
