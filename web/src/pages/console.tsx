import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Router } from 'wouter';
import { ApiFault } from '../api/client';
import { reachNow } from '../api/reach';
import { fetchEarly } from '../features/console/sections';
import { Shell } from '../features/console/shell';
import { SignedIn } from '../features/console/sign-in';
import '../ui/base.css';
import '../ui/ui.css';
import '../features/console/console.css';

const BASE = '/admin/ui';
const TRIES = 3;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // What the server refuses it refuses again; what did not reach it may do so next time. As long as it is away one
      // note at the top says so, and no list beside it.
      retry: (count, fault) =>
        fault instanceof ApiFault && fault.isPassing && (count < TRIES || (fault.isAway && reachNow() !== 'fine')),
      staleTime: 5000,
    },
  },
});

fetchEarly(location.pathname.slice(BASE.length).replace(/\/$/, '') || '/');

const root = document.getElementById('page');
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Router base={BASE}>
          <SignedIn>
            <Shell />
          </SignedIn>
        </Router>
      </QueryClientProvider>
    </StrictMode>,
  );
