/** The pieces that all pages are made of. They know nothing of the server. */
export { Button, CopyButton, IconButton } from './button';
export { Confirm, Dialog } from './dialog';
export { Check, Choice, Field, TextArea, TextField } from './field';
export { Badge, Empty, FaultNote, Loading, Time } from './notes';
export { type Column, Table } from './table';
export { type Theme, useTheme } from './theme';
