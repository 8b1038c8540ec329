/** Health and metrics routes. Health makes a real write, at most once a second however often it is asked. */
export { HealthModule } from './health.module';
