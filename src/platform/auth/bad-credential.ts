import { AppError } from '../../common/errors';
import type { CredentialKind, Guess } from './credential-verifier';

/** 401 for a credential that was shown and is no good. */
export class BadCredential extends AppError {
  constructor(
    message: string,
    readonly kind: CredentialKind,
    /** undefined: it was good once. */
    readonly guess: Guess | undefined,
  ) {
    super('AUTHENTICATION_ERROR', message);
  }
}
