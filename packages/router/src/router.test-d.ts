import type { Generation, LLM } from '@synapsekit/core';
import { assertType, expectTypeOf, test } from 'vitest';
import {
  type CascadeGeneration,
  CascadeRouter,
  type Complexity,
  type ComplexityClassifier,
  finished,
  type LearnedRouterGoals,
  LengthClassifier,
  matchesSchema,
  type RoutedGeneration,
  Router,
  type RouterOptions,
  type Verifier,
} from './index.ts';

const llm = {} as LLM;

test('there is a model for each kind of query, and for no other', () => {
  expectTypeOf<Complexity>().toEqualTypeOf<'simple' | 'medium' | 'complex'>();
  assertType<RouterOptions['routes']>({ simple: llm, medium: llm, complex: llm });
  // @ts-expect-error There is no such kind.
  assertType<RouterOptions['routes']>({ simple: llm, medium: llm, complex: llm, hard: llm });
});

test('routers are models, and their answers say how they came', () => {
  expectTypeOf(Router).instance.toMatchTypeOf<LLM>();
  expectTypeOf(CascadeRouter).instance.toMatchTypeOf<LLM>();
  expectTypeOf<RoutedGeneration>().toMatchTypeOf<Generation>();
  expectTypeOf<CascadeGeneration>().toMatchTypeOf<Generation>();
  expectTypeOf<Awaited<ReturnType<Router['generate']>>>().toMatchTypeOf<RoutedGeneration>();
});

test('a classifier gives one of the kinds', () => {
  expectTypeOf(LengthClassifier).instance.toMatchTypeOf<ComplexityClassifier>();
  expectTypeOf<Awaited<ReturnType<ComplexityClassifier['classify']>>>().toMatchTypeOf<{
    readonly complexity: Complexity;
  }>();
});

test('verifiers; goals are shares and dollars', () => {
  expectTypeOf(finished()).toMatchTypeOf<Verifier>();
  // @ts-expect-error A schema, please.
  matchesSchema('string');
  // @ts-expect-error There is no such goal.
  assertType<LearnedRouterGoals>({ cheapest: true });
});
