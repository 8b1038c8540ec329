import { SetMetadata } from '@nestjs/common';
import type { ErrorCode } from '../../common/errors';

export const API_ERRORS = Symbol('documented errors');
export const LIST_HEADERS = Symbol('documented headers of a list');

/** The errors of a route beyond those that every route of its kind has; they become its documented responses. */
export function ApiErrors(...codes: ErrorCode[]): MethodDecorator {
  return SetMetadata(API_ERRORS, codes);
}

/** Documents the X-Total-Count header of an answer that is a bare array, and others that it has. */
export function WithTotal(...more: string[]): MethodDecorator {
  return SetMetadata(LIST_HEADERS, ['X-Total-Count', ...more]);
}
