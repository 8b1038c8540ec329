/** The jobs that answer; the append and chat_answer_again make a run with each. */
export const RUN = 'run';
