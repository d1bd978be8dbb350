import { Component, type FunctionComponent, h } from 'preact';

/** A component that is drawn again only when one of its properties is another. */
export function memo<P extends object>(Drawn: FunctionComponent<P>): FunctionComponent<P> {
  class Kept extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const before = this.props as Record<string, unknown>;
      return Object.entries(next).some(([name, value]) => before[name] !== value);
    }
    override render() {
      return h(Drawn, this.props as P);
    }
  }
  return Kept as unknown as FunctionComponent<P>;
}
