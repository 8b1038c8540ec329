import { Controller, Delete, Get, Post } from '@nestjs/common';
import { Access, accessOf } from '../auth';
import { AUDIT_ACTIONS, type AuditAction } from './actions';
import { Audited, checkAudited, type CheckedMethod, NotAudited } from './audited';

const ALL = Object.keys(AUDIT_ACTIONS) as [AuditAction, ...AuditAction[]];

@Controller('admin/all')
class AllController {
  @Post()
  @Access('master')
  @Audited(...ALL)
  all(): void {}
}

function methodsOf(type: new () => object, path = 'admin/things'): CheckedMethod[] {
  return Object.getOwnPropertyNames(type.prototype)
    .filter((method) => method !== 'constructor')
    .map((method) => {
      const handler = (type.prototype as Record<string, object>)[method] ?? {};
      return { controller: type.name, method, handler, path };
    });
}

const check = (type: new () => object, path?: string): void =>
  checkAudited([...methodsOf(AllController), ...methodsOf(type, path)]);

describe('the check of the boot', () => {
  it.each(['master', 'admin', 'tenantAdmin', 'tenantOrMaster'] as const)(
    'refuses a changing route of %s that says nothing of the log, wherever it is',
    (access) => {
      class ThingsController {
        @Post()
        @Access(access)
        make(): void {}
      }
      const message = 'ThingsController.make changes something and is not audited: give it @Audited or @NotAudited';
      expect(() => check(ThingsController, 'things')).toThrow(message);
    },
  );

  it('refuses one below /admin whoever may call it', () => {
    class ThingsController {
      @Delete()
      @Access('user')
      drop(): void {}
    }
    expect(() => check(ThingsController, 'admin')).toThrow('ThingsController.drop changes something');
    expect(() => check(ThingsController, 'administration')).not.toThrow();
  });

  it('lets pass what only reads, what users do, and what says that it changes nothing', () => {
    class ThingsController {
      @Get()
      @Access('admin')
      list(): void {}

      @Post('ask')
      @Access('admin')
      @NotAudited('asks only')
      ask(): void {}

      helper(): void {}
    }
    class RoomsController {
      @Post()
      @Access('user')
      make(): void {}
    }
    expect(() => check(ThingsController)).not.toThrow();
    expect(() => check(RoomsController, 'rooms')).not.toThrow();
  });

  it('refuses an action that two routes do, and one that no route does', () => {
    class ThingsController {
      @Post()
      @Access('admin')
      @Audited('key.create')
      make(): void {}
    }
    expect(() => check(ThingsController)).toThrow('ThingsController.make and AllController.all both do key.create');
    expect(() => checkAudited(methodsOf(ThingsController))).toThrow(
      /^No route does agent\.add, agent\.remove, channel\.create, .*webhook\.test$/,
    );
  });
});

it('a route says only once whether it is audited', () => {
  expect(() => {
    class ThingsController {
      @Post()
      @Audited('key.create')
      @NotAudited('or not')
      make(): void {}
    }
    return ThingsController;
  }).toThrow('make says twice whether it is audited');
});

it('a route keeps its rule beside its actions, in whichever order they stand', () => {
  class ThingsController {
    @Audited('key.create')
    @Access('admin')
    below(): void {}

    @Access('admin')
    @Audited('key.revoke')
    above(): void {}
  }
  for (const { handler } of methodsOf(ThingsController)) expect(accessOf(handler)).toMatchObject({ access: 'admin' });
});
