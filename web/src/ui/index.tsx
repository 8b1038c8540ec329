/** The pieces that all pages are made of. They know nothing of the server. */
export { Button, CopyButton, IconButton } from './button';
export { Confirm, Dialog } from './dialog';
export { Check, Choice, Field, TextArea, TextField } from './field';
export { keepFocus } from './focus';
export { FormDialog } from './form-dialog';
export { Icon, type IconName } from './icons';
export { Badge, Empty, FaultNote, Loading } from './notes';
export { Pager } from './pager';
export { Copyable, Id, NodeLabel, SecretOnce } from './secret';
export { type Column, Table } from './table';
export { Time } from './time';
export { onColours, type Theme, useTheme } from './theme';
export { useUrlChoice, useUrlOffset, useUrlState } from './url-state';
