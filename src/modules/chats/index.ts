/**
 * Chats with a model: five APIs, one log (docs/adr/0022).
 *
 * Agents in rooms of people are the same runs (docs/adr/0042): asked by the append, answered in their room.
 *
 * Owns the tables chats, room_agents, runs, run_chunks, charges, charge_days. Invariants: a user's message and the run that answers it
 * are committed together; an answer belongs to the server, so no reader's leaving ends it; a chat has one answer at a time,
 * and an answer takes its seq when it ends; only a run that had not begun is begun after a crash, so no run stays open and
 * no answer is written twice; a watcher gets each token once, from any index on, on any node, and the end also where every
 * hint of it is lost (`ChatBackstop`); no model is asked before what it may use was taken of the budgets, which it does not
 * exceed and gives back with its end (docs/adr/0041); a prompt alternates, ends with the question and fits.
 *
 * Concurrency: a run is a job, so one worker has it and its fence keeps other workers from writing; its end is one
 * transaction with its message, and the first end counts. Tokens are published at once and stored every 50 ms: after a
 * crash the stored text may be shorter than what was shown, and is the truth.
 */
export { runsCancel, runsTrimmed } from './chats.functions';
export { ChatsModule } from './chats.module';
export { OwnCallCharges } from './runs/call-charges';
export { ChatsService } from './chats/chats.service';
export { AgentsOnline } from './agents/agents-online';
export { RoomTurns } from './turns/turns.service';
