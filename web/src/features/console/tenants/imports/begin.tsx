import { type ReactNode, useState } from 'react';
import { bodyOf, useApi } from '../../../../api/client';
import { Choice, Field, FormDialog, useUrlState } from '../../../../ui';
import { bytes } from '../../live/format';
import { send } from '../../sending';
import type { Tenant } from '../../tenant';
import { type Source, SOURCES } from './data';

const OPTIONS = (['chatapi', 'slack', 'stream'] as const).map((source) => [source, SOURCES[source][0]] as const);

interface BeginImportProps {
  readonly tenant: Tenant;
  readonly onClose: () => void;
}

/** Asks for a file and what has made it; then its import is shown, and the file is on its way. */
export function BeginImport({ tenant, onClose }: BeginImportProps): ReactNode {
  const api = useApi();
  const [, show] = useUrlState('import');
  const [source, setSource] = useState<Source>('chatapi');
  const [file, setFile] = useState<File>();
  const begin = async (): Promise<void> => {
    if (file === undefined) return;
    const path = { tenant_id: tenant.tenant_id };
    const { import_id: importId } = await bodyOf(
      api.POST('/admin/tenants/{tenant_id}/imports', { params: { path }, body: { source } }),
    );
    send(api, { tenantId: tenant.tenant_id, importId }, file);
    show(importId);
  };
  return (
    <FormDialog
      {...{ title: `Import a file into ${tenant.name}`, action: 'Send and check it', onSubmit: begin, onClose }}
      isReady={file !== undefined && file.size > 0}
    >
      <Choice label="Made by" value={source} options={OPTIONS} onValue={setSource} hint={SOURCES[source][1]} />
      <FileField label="File" accept={SOURCES[source][2]} file={file} onFile={setFile} />
      <p className="muted">
        Sending and checking it changes nothing in the tenant. You see what is wrong with it, and then say whether it is
        taken in.
      </p>
    </FormDialog>
  );
}

interface FileFieldProps {
  readonly label: string;
  readonly accept?: string;
  readonly file: File | undefined;
  readonly onFile: (file: File | undefined) => void;
}

/** One file of the reader's. */
export function FileField({ label, accept, file, onFile }: FileFieldProps): ReactNode {
  const hint = file === undefined ? undefined : bytes(file.size);
  return (
    <Field label={label} hint={hint} fault={file?.size === 0 ? 'This file is empty.' : undefined}>
      {({ id, describedBy }) => (
        <input
          id={id}
          type="file"
          accept={accept}
          aria-describedby={describedBy}
          onChange={(event) => onFile(event.target.files?.[0])}
        />
      )}
    </Field>
  );
}
