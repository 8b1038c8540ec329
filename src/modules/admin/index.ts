/** What concerns the installation as a whole: the demo data of the first start; stats and audit join here. */
export { AdminModule } from './admin.module';
export { DEMO } from './demo';
export { KeyCheck } from './key-check';
export { type FirstStart, FirstStartService } from './first-start.service';
