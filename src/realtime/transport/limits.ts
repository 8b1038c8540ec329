/** All frames of one connection that are no messages, per second (contract §4). */
export const OTHER_FRAMES_PER_SECOND = 100;
