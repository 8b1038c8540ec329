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
  notFound,
  rateLimited,
  unauthenticated,
  unavailable,
} from './app-error';
export { errorBody, type ErrorBody } from './error-body';
