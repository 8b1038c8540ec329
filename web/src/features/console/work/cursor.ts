import { type InfiniteData, keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';

/** A page of a list that tells where the next one begins. */
export interface CursorPage<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Rows of one page: as many as the API gives at most. */
export const PAGE_ROWS = 100;

/** A list that is read page by page. */
export interface CursorList<T, P extends CursorPage<T>> {
  readonly items: readonly T[] | undefined;
  /** What the first page says beside its items. */
  readonly first: P | undefined;
  readonly error: Error | null;
  /** Reads the next page; undefined at the end. */
  readonly onMore: (() => void) | undefined;
  readonly isFetching: boolean;
}

function isShort({ state: { data } }: { readonly state: { readonly data: unknown } }): boolean {
  return ((data as InfiniteData<unknown> | undefined)?.pages.length ?? 0) <= 1;
}

/**
 * Reads a list by its cursor, a page when it is asked for.
 * @param key what the list depends on
 * @param everyMs reads what is shown again and again
 */
export function useCursorList<T, P extends CursorPage<T>>(
  key: readonly unknown[],
  read: (cursor: string | undefined) => Promise<P>,
  everyMs?: number,
): CursorList<T, P> {
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
    placeholderData: keepPreviousData,
    // Every page that was read is read anew: with many of them that is no longer cheap.
    refetchInterval: (query) => (everyMs !== undefined && isShort(query) ? everyMs : false),
    refetchOnMount: (query) => query.state.isInvalidated || isShort(query),
    refetchOnWindowFocus: isShort,
    refetchOnReconnect: isShort,
  });
  return {
    items: data?.pages.flatMap(({ items }) => items),
    first: data?.pages[0],
    error,
    onMore: hasNextPage ? () => void fetchNextPage() : undefined,
    isFetching: isFetchingNextPage,
  };
}
