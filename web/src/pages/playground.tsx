import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../ui/base.css';
import '../ui/ui.css';

const root = document.getElementById('page');
if (root !== null) createRoot(root).render(<StrictMode />);
