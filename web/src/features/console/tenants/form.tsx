import { type ReactNode, type SubmitEvent, useState } from 'react';
import { ApiFault } from '../../../api/client';
import { useSession } from '../../../api/session';
import { Button, Confirm, FaultNote, TextField } from '../../../ui';
import type { Tenant } from '../tenant';
import { Changed } from './changed';
import { type Change, useChange, useFreshTenant } from './data';
import { type Unsaved, useAskBeforeClosing, useUnsaved } from './drafts';
import { FieldRow, type FieldRowProps } from './field-row';
import {
  type Area,
  changeOf,
  type Draft,
  type Drafts,
  draftOf,
  faultIn,
  fieldsOf,
  isSame,
  unknownSettings,
  wordsOf,
} from './fields';

interface TenantFormProps {
  readonly area: Area;
  readonly tenant: Tenant;
}

interface Saving {
  readonly isBusy: boolean;
  readonly fault: unknown;
  /** The tenant as somebody else has left it meanwhile. */
  readonly met: Tenant | undefined;
  /** It would delete messages: asked before. */
  readonly days: number | undefined;
}

const QUIET: Saving = { isBusy: false, fault: undefined, met: undefined, days: undefined };

interface Form extends Saving {
  readonly fields: readonly TypedField[];
  readonly setDraft: (name: string, draft: Draft) => void;
  readonly name: string;
  readonly setName: (name: string) => void;
  readonly count: number;
  readonly isWrong: boolean;
  readonly base: Tenant;
  readonly check: () => Promise<void>;
  readonly save: () => Promise<void>;
  readonly drop: () => void;
  readonly calm: () => void;
}

/** Whether keeping messages so many days only is less than now. */
function deletes({ effective }: Tenant, days: number): boolean {
  const now: unknown = effective.settings['retention_days']?.value;
  return typeof now !== 'number' || days < now;
}

interface TypedField extends Omit<FieldRowProps, 'isFixed' | 'onDraft'> {
  /** It can be sent. */
  readonly isGood: boolean;
}

function typedFields(area: Area, base: Tenant, drafts: Drafts, told: unknown): readonly TypedField[] {
  return fieldsOf(base, area).map(([spec, inForce]) => {
    const saved = draftOf(inForce);
    const draft = drafts[spec.name] ?? saved;
    const own = faultIn(spec, draft);
    const isTold = told instanceof ApiFault && told.field?.startsWith(`${area}.${spec.name}`) === true;
    const fault = own ?? (isTold ? told.message : undefined);
    return { spec, inForce, draft, isChanged: !isSame(saved, draft), fault, isGood: own === undefined };
  });
}

/** What is typed of an area, and what becomes of it. */
function useForm({ area, tenant }: TenantFormProps): Form {
  const [unsaved, setUnsaved] = useUnsaved(tenant.tenant_id, area);
  const [saving, setSaving] = useState(QUIET);
  const change = useChange(tenant.tenant_id);
  const fresh = useFreshTenant(tenant.tenant_id);
  const base = unsaved?.base ?? tenant;
  const state: Unsaved = unsaved ?? { base: tenant, drafts: {}, name: undefined };
  const put = (next: Partial<Unsaved>): void => {
    setSaving(QUIET);
    setUnsaved({ ...state, ...next });
  };
  const fields = typedFields(area, base, state.drafts, saving.fault);
  const changed = fields.filter(({ isChanged }) => isChanged).map(({ spec, draft }) => [spec, draft] as const);
  const isRenamed = state.name !== undefined && state.name.trim() !== base.name;
  const sent: Change = {
    ...(changed.length > 0 && changeOf(area, changed)),
    ...(isRenamed && { name: state.name.trim() }),
  };
  const drop = (): void => {
    setUnsaved(undefined);
    setSaving(QUIET);
  };
  const failed = (fault: unknown): void => setSaving({ ...QUIET, fault });
  const save = (): Promise<void> => change(sent).then(drop);
  const check = async (): Promise<void> => {
    setSaving({ ...QUIET, isBusy: true });
    const now = await fresh();
    const days = sent.settings?.retention_days;
    if (now.updated_at !== base.updated_at) setSaving({ ...QUIET, met: now });
    else if (typeof days === 'number' && deletes(base, days)) setSaving({ ...QUIET, days });
    else await save();
  };
  return {
    ...saving,
    ...{ base, save, drop, name: state.name ?? base.name, setName: (name) => put({ name }) },
    ...{ fields, setDraft: (name, draft) => put({ drafts: { ...state.drafts, [name]: draft } }) },
    count: changed.length + (isRenamed ? 1 : 0),
    isWrong: fields.some(({ isGood }) => !isGood) || state.name?.trim() === '',
    check: () => check().catch(failed),
    calm: () => setSaving(QUIET),
  };
}

/** The limits of a tenant, or its settings: each with its value, its default and where it comes from. */
export function TenantForm(props: TenantFormProps): ReactNode {
  const { area, tenant } = props;
  const { credential } = useSession();
  const form = useForm(props);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void form.check();
  };
  const isReading = area === 'limits' && credential.kind !== 'master';
  return (
    <>
      <form className="stack" onSubmit={submit}>
        {isReading && <p className="muted">Only whoever runs the server changes limits: with the master key.</p>}
        {area === 'settings' && (
          <div className="card name-row">
            <TextField label="Name" value={form.name} onValue={form.setName} maxLength={200} autoComplete="off" />
          </div>
        )}
        <div className="card values">
          {form.fields.map(({ isGood: _, ...field }) => (
            <FieldRow
              key={field.spec.name}
              {...field}
              isFixed={isReading}
              onDraft={(draft) => form.setDraft(field.spec.name, draft)}
            />
          ))}
          {area === 'settings' && <Unknown tenant={tenant} />}
        </div>
        {form.fault !== undefined && <FaultNote fault={form.fault} />}
        {form.count > 0 && <SaveBar form={form} />}
      </form>
      <Asks form={form} tenant={tenant} />
    </>
  );
}

function SaveBar({ form }: { readonly form: Form }): ReactNode {
  useAskBeforeClosing();
  return (
    <div className="save-bar" role="region" aria-label="Changes that are not saved">
      <span>{form.count === 1 ? '1 change' : `${form.count} changes`}, in force within 2 seconds after saving</span>
      <Button onClick={form.drop}>Discard</Button>
      <Button type="submit" tone="main" isBusy={form.isBusy} disabled={form.isWrong}>
        Save
      </Button>
    </div>
  );
}

/** What has to be answered before it is saved. */
function Asks({ form, tenant }: { readonly form: Form; readonly tenant: Tenant }): ReactNode {
  return (
    <>
      {form.met !== undefined && (
        <Changed before={form.base} now={form.met} onSave={form.save} onDrop={form.drop} onClose={form.calm} />
      )}
      {form.days !== undefined && (
        <Confirm
          title={`Keep messages ${form.days} days only?`}
          {...{ name: tenant.name, action: 'Delete what is older', onConfirm: form.save, onClose: form.calm }}
        >
          <p>
            <strong>
              Messages of {tenant.name} that are older than {form.days} days are deleted
            </strong>
            , within about an hour, in every room that does not keep its own time and is not held. They cannot be
            brought back.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Unknown({ tenant }: { readonly tenant: Tenant }): ReactNode {
  return unknownSettings(tenant).map(([name, { value, source }]) => (
    <div key={name} className="value-row">
      <p className="value-label">
        <code>{name}</code>
      </p>
      <p className="value">{wordsOf({ none: 'none' }, value)}</p>
      <p className="source small muted">{source === 'tenant' ? 'own value' : 'default'}; changed by the API</p>
    </div>
  ));
}
