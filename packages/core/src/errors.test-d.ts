import { expectTypeOf, test } from 'vitest';
import {
  type AllProvidersFailedError,
  type BudgetExceededError,
  type CallTimeoutError,
  ConfigError,
  type ErrorByCode,
  type ErrorCode,
  isSynapseError,
  type ProviderError,
  type ProviderErrorKind,
  type ProviderFailure,
  SynapseError,
  type ToolArgumentsError,
} from './index.ts';

declare const error: unknown;

test('isSynapseError alone gives the family, with a code the class', () => {
  if (isSynapseError(error)) expectTypeOf(error).toEqualTypeOf<SynapseError>();
  if (isSynapseError(error, 'provider')) {
    expectTypeOf(error).toEqualTypeOf<ProviderError>();
    expectTypeOf(error.kind).toEqualTypeOf<ProviderErrorKind>();
    expectTypeOf(error.retryAfterMs).toEqualTypeOf<number | undefined>();
  }
  if (isSynapseError(error, 'budget-exceeded')) {
    expectTypeOf(error).toEqualTypeOf<BudgetExceededError>();
    expectTypeOf(error.fits).toEqualTypeOf<'in-flight' | 'window' | 'never'>();
  }
  if (isSynapseError(error, 'timeout')) expectTypeOf(error).toEqualTypeOf<CallTimeoutError>();
  if (isSynapseError(error, 'tool-arguments')) expectTypeOf(error).toEqualTypeOf<ToolArgumentsError>();
  if (isSynapseError(error, 'all-providers-failed')) {
    expectTypeOf(error).toEqualTypeOf<AllProvidersFailedError>();
    expectTypeOf(error.errors).toEqualTypeOf<readonly ProviderFailure[]>();
  }
  // @ts-expect-error There is no such code.
  isSynapseError(error, 'provider-error');
});

test('an error that was not asked about stays unknown', () => {
  if (!isSynapseError(error)) expectTypeOf(error).toBeUnknown();
});

test('every code has its class, and every class is of the family', () => {
  expectTypeOf<keyof ErrorByCode>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<ErrorByCode[ErrorCode]>().toMatchTypeOf<SynapseError>();
  expectTypeOf(new ConfigError('x')).toMatchTypeOf<Error>();
  // @ts-expect-error A code that nobody knows.
  new SynapseError('oops', 'x');
});
