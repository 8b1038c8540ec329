/** What the pages about the configuration need to know of one variable. */
export interface DocumentedField {
  readonly name: string;
  readonly doc: string;
  readonly shownDefault: string | undefined;
  readonly secret: boolean;
}

/** One area of the configuration. */
export interface DocumentedArea {
  readonly title: string;
  readonly fields: Readonly<Record<string, DocumentedField>>;
}
