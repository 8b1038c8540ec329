/**
 * Stopping in order: hooks in numbered stages, readiness, fatal conditions, and timers that end with their owner. A
 * provider says by `@Every` and `@OnStop` what it has of either.
 *
 * Invariants: the stages alone decide the order, no Nest destroy hook does; every hook gets its chance and none can
 * hold up the stop for longer than its timeout; `stopping` never becomes false again, nor `refusing`, which follows it
 * after the drain delay: between the two nothing is refused that would have been served before.
 *
 * Concurrency: stages run one after the other, the hooks of one stage at the same time. An `every` timer never runs
 * twice at once.
 */
export { Every, every, type Interval, LifecycleHooks, OnStop } from './hooks';
export { watchDescriptors } from './descriptors';
export { spaceOutFullCollections, tidyHeapWhenIdle } from './heap';
export { Lifecycle, StopStage } from './lifecycle';
