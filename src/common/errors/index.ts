/** The error catalogue and the one error class: pure, used by every layer. */
export { ERROR_CATALOGUE, type ErrorCode, type ErrorRow } from './catalogue';
export {
  AppError,
  type AppErrorOptions,
  type FieldError,
  forbidden,
  internalError,
  invalid,
  invalidFields,
  isUnavailable,
  notAMember,
  notFound,
  rateLimited,
  unauthenticated,
  unavailable,
} from './app-error';
export { errorBody, type ErrorBody } from './error-body';
export { hintOf } from './error-body';
