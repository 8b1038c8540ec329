import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { isDto } from './compile-schema';
import { Validator } from './validator';

/** Hands bodies and query strings to the compiled validator; everything else passes untouched. */
@Injectable()
export class CompiledValidationPipe implements PipeTransform {
  private readonly known = new WeakMap<object, boolean>();

  constructor(private readonly validator: Validator) {}

  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || metatype === undefined || !this.isDto(metatype)) return value;
    return type === 'body' ? this.validator.body(metatype, value) : this.validator.query(metatype, value);
  }

  private isDto(metatype: NonNullable<ArgumentMetadata['metatype']>): metatype is new () => object {
    let answer = this.known.get(metatype);
    if (answer === undefined) this.known.set(metatype, (answer = isDto(metatype)));
    return answer;
  }
}
