export function About() {
  return (
    <section>
      <h1>About</h1>
      <p>
        <code>/about</code> is a client-side route: there is no such file in the build. Reload this page and it is still
        here, because the site answers unknown paths with <code>index.html</code>.
      </p>
    </section>
  );
}
