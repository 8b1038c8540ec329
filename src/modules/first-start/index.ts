/**
 * The very first start of an installation: the demo tenant and its data, and the key that is shown once. Every step may be
 * repeated, so a start that was cut short is finished by the next one.
 */
export { DEMO } from './demo';
export { FirstStartModule } from './first-start.module';
export { type FirstStart, FirstStartService } from './first-start.service';
