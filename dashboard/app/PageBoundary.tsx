import { Component, type ComponentChildren } from 'preact';
import { messageOf } from '../api/callApi.ts';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import { paths } from './paths.ts';

interface PageBoundaryProps {
  /** Where the browser is: another address is another try. */
  readonly path: string;
  readonly children: ComponentChildren;
}

/** What is shown where a page throws: without it nothing would be, and nobody would know why. */
export class PageBoundary extends Component<PageBoundaryProps, { thrown?: { readonly error: unknown } | null }> {
  static override getDerivedStateFromError = (error: unknown) => ({ thrown: { error } });

  override componentDidCatch(error: unknown): void {
    console.error(error);
  }

  override componentDidUpdate(before: PageBoundaryProps): void {
    if (this.state.thrown && before.path !== this.props.path) this.setState({ thrown: null });
  }

  override render() {
    const { thrown } = this.state;
    if (!thrown) return this.props.children;
    return (
      <>
        <div class="page-head">
          <h1>This page is broken</h1>
        </div>
        <Notice kind="bad" title="The page could not be shown">
          <p>
            It broke while it was drawn: a fault of the dashboard, or an answer that has not the form it expects. If
            loading it again does not help, please report: <code>{messageOf(thrown.error)}</code>
          </p>
          <div class="actions">
            <Button onClick={() => location.reload()}>Load it again</Button>
            <a href={paths.projects}>All projects</a>
          </div>
        </Notice>
      </>
    );
  }
}
