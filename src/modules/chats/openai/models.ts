import { Injectable } from '@nestjs/common';
import { AppError } from '../../../common/errors';
import type { Caller } from '../../../platform/auth';
import { PresetsService } from '../../models';
import { noSuchModel } from './rules';
import type { ModelDto, ModelListDto } from './dto/completion.dto';

/** More than a tenant can have. */
const ALL = { limit: 1000, offset: 0 } as const;

/** Presets as models: what a client of OpenAI's API may name. */
@Injectable()
export class PresetModels {
  constructor(private readonly presets: PresetsService) {}

  async list(caller: Caller): Promise<ModelListDto> {
    const { presets } = await this.presets.list(caller, ALL);
    return { object: 'list', data: presets.map(modelOf) };
  }

  /** @throws 404 */
  async get(caller: Caller, name: string): Promise<ModelDto> {
    try {
      return modelOf(await this.presets.get(caller, name));
    } catch (error) {
      if (error instanceof AppError && error.code === 'NOT_FOUND') throw noSuchModel(name);
      throw error;
    }
  }
}

function modelOf({ name, createdAt }: { readonly name: string; readonly createdAt: number | null }): ModelDto {
  return { id: name, object: 'model', created: Math.floor((createdAt ?? 0) / 1000), owned_by: 'chatapi' };
}
