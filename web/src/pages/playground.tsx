import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Playground } from '../features/playground/playground';
import '../ui/base.css';
import '../ui/ui.css';
import '../features/playground/playground.css';
import '../features/playground/frames.css';

const root = document.getElementById('page');
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <Playground />
    </StrictMode>,
  );
