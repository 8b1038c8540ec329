import { Component, type ReactNode } from 'react';
import { untilReached } from '../../api/reach';
import { Button, Empty } from '../../ui';

/** Fetches a part of the console; while the server is away it waits for it. */
export async function fetched<T>(load: () => Promise<T>): Promise<T> {
  for (let faults = 1; ; faults++) {
    try {
      return await load();
    } catch (error) {
      if (!(await untilReached()) && faults > 1) throw error;
    }
  }
}

interface PageFaultProps {
  /** Another page is tried anew. */
  readonly place: string;
  readonly children: ReactNode;
}

/** Shows what is below it, or that it cannot be shown: mostly, that the server has a newer console by now. */
export class PageFault extends Component<PageFaultProps, { readonly isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError(): { readonly isBroken: boolean } {
    return { isBroken: true };
  }

  override componentDidUpdate({ place }: PageFaultProps): void {
    if (this.state.isBroken && place !== this.props.place) this.setState({ isBroken: false });
  }

  override render(): ReactNode {
    if (!this.state.isBroken) return this.props.children;
    return (
      <Empty title="This page could not be shown">
        <p>The server may have a newer console than this tab. Load it anew: you stay signed in.</p>
        <Button tone="main" onClick={() => location.reload()}>
          Load it anew
        </Button>
      </Empty>
    );
  }
}
