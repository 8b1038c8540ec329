import { SetMetadata } from '@nestjs/common';
import type { ErrorCode } from '../../common/errors';

export const API_ERRORS = Symbol('documented errors');
export const WITH_TOTAL = Symbol('documented X-Total-Count');

/** The errors of a route beyond those that every route of its kind has; they become its documented responses. */
export function ApiErrors(...codes: ErrorCode[]): MethodDecorator {
  return SetMetadata(API_ERRORS, codes);
}

/** Documents the X-Total-Count header of an answer that is a bare array. */
export function WithTotal(): MethodDecorator {
  return SetMetadata(WITH_TOTAL, true);
}
