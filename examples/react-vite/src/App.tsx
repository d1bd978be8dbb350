import { Link, NavLink, Route, Routes } from 'react-router';
import { About } from './pages/About';
import { Home } from './pages/Home';

export function App() {
  return (
    <>
      <header>
        <Link className="brand" to="/">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          React on Veren
        </Link>
        <nav>
          <NavLink to="/" end>
            Home
          </NavLink>
          <NavLink to="/about">About</NavLink>
        </nav>
      </header>
      <main>
        <Routes>
          <Route path="/" element={<Home />} />
          <Route path="/about" element={<About />} />
          <Route path="*" element={<NotFound />} />
        </Routes>
      </main>
      <footer>Built from a git commit, served as plain files.</footer>
    </>
  );
}

function NotFound() {
  return (
    <section>
      <h1>Nothing here</h1>
      <p>
        No route matches <code>{location.pathname}</code>. <Link to="/">Back to the start</Link>
      </p>
    </section>
  );
}
