import { type ComponentType, lazy, type LazyExoticComponent } from 'react';
import type { IconName } from '../../ui';
import { fetched } from './page-fault';

/** A page of the console. */
export interface Section {
  /** Below /admin/ui; the first one is at its root. */
  readonly path: string;
  readonly title: string;
  readonly icon?: IconName;
  /** It is about one tenant: with the master key one has to be chosen first. */
  readonly needsTenant: boolean;
  readonly page: LazyExoticComponent<ComponentType>;
}

/** In the order of the rail. A page is fetched when it is opened. */
export const SECTIONS: readonly Section[] = [
  {
    path: '/',
    title: 'Live',
    icon: 'live',
    needsTenant: false,
    page: lazy(() => fetched(() => import('./live/live-page'))),
  },
  {
    path: '/tenants',
    title: 'Tenants',
    icon: 'tenants',
    needsTenant: false,
    page: lazy(() => fetched(() => import('./tenants/tenants-page'))),
  },
  {
    path: '/rooms',
    title: 'Rooms',
    icon: 'rooms',
    needsTenant: true,
    page: lazy(() => fetched(() => import('./rooms/rooms-page'))),
  },
  {
    path: '/users',
    title: 'Users',
    icon: 'users',
    needsTenant: true,
    page: lazy(() => fetched(() => import('./users/users-page'))),
  },
  {
    path: '/connections',
    title: 'Connections',
    icon: 'connections',
    needsTenant: true,
    page: lazy(() => fetched(() => import('./connections/connections-page'))),
  },
  {
    path: '/dead-letters',
    title: 'Dead letters',
    icon: 'letters',
    needsTenant: true,
    page: lazy(() => fetched(() => import('./letters/letters-page'))),
  },
  {
    path: '/audit',
    title: 'Audit',
    icon: 'audit',
    needsTenant: false,
    page: lazy(() => fetched(() => import('./audit/audit-page'))),
  },
  {
    path: '/jobs',
    title: 'Jobs',
    icon: 'jobs',
    needsTenant: false,
    page: lazy(() => fetched(() => import('./jobs/jobs-page'))),
  },
  {
    path: '/usage',
    title: 'Usage',
    icon: 'usage',
    needsTenant: true,
    page: lazy(() => fetched(() => import('./usage/usage-page'))),
  },
  {
    path: '/models',
    title: 'Models',
    icon: 'models',
    needsTenant: false,
    page: lazy(() => fetched(() => import('./models/models-page'))),
  },
];
