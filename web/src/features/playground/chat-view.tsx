import { type ReactNode, useLayoutEffect, useRef } from 'react';
import { Badge, Button, FaultNote } from '../../ui';
import type { AnswerStatus, Chat, ChatTurn } from '../../socket';
import { Composer } from './composer';
import { Ended, State } from './connection-state';
import { OutgoingRow } from './message';
import type { Person } from './person';

const NEAR_END_PX = 120;

/** A chat with the assistant on /ws/chat: the answer grows, is stopped, left, resumed, written anew. */
export function ChatView({ person }: { readonly person: Person }): ReactNode {
  const { current: chat, fault } = person.chats;
  if (chat === undefined) return null;
  const entry = person.chats.entries.find(({ id }) => id === chat.chatId);
  return (
    <div className="talk">
      <header className="talk-header">
        <h3>{entry?.title ?? 'Chat'}</h3>
        <State connection={chat.connection} isCut={person.network.isCut} />
      </header>
      <Turns chat={chat} />
      <Ended connection={chat.connection} />
      {fault !== undefined && <FaultNote fault={fault} />}
      {chat.lastError !== undefined && (
        <FaultNote fault={`${chat.lastError.error_code}: ${chat.lastError.error_message}`} />
      )}
      <ChatActions person={person} chat={chat} />
      <Composer
        label={`Ask the assistant as ${person.userId}`}
        placeholder="Ask the assistant"
        draft={person.drafts.get(chat.chatId) ?? ''}
        onDraft={(text) => person.drafts.set(chat.chatId, text)}
        onSend={(text) => chat.send(text)}
      />
    </div>
  );
}

function Turns({ chat }: { readonly chat: Chat }): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const turns = chat.answers.all;
  const waiting = chat.outbox.of(chat.chatId);
  useLayoutEffect(() => {
    const shown = list.current;
    if (shown !== null && isAtEnd.current) shown.scrollTop = shown.scrollHeight;
  });
  return (
    <div
      className="messages"
      ref={list}
      role="log"
      aria-label="Chat"
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
      }}
    >
      {turns.length + waiting.length === 0 && (
        <p className="nothing muted">
          Ask something. While the answer is written: stop it, cut the network, resume it.
        </p>
      )}
      {turns.map((turn) => (
        <Turn key={turn.id} chat={chat} turn={turn} />
      ))}
      {waiting.map((message) => (
        <OutgoingRow key={message.clientMessageId} outbox={chat.outbox} message={message} />
      ))}
    </div>
  );
}

const TONES: Readonly<Record<AnswerStatus, 'plain' | 'good' | 'warn' | 'bad'>> = {
  streaming: 'good',
  completed: 'plain',
  cancelled: 'warn',
  interrupted: 'warn',
  failed: 'bad',
  superseded: 'plain',
};

function Turn({ chat, turn }: { readonly chat: Chat; readonly turn: ChatTurn }): ReactNode {
  const { id, role, text, seq, status, index, resumes = 0, tokens } = turn;
  const isAnswer = role === 'assistant';
  return (
    <article
      className="message"
      data-mine={role === 'user'}
      data-status={status}
      aria-label={isAnswer ? 'Answer' : 'Question'}
    >
      <p className="content">{text}</p>
      <footer>
        {seq !== undefined && <span className="mono">#{seq}</span>}
        {isAnswer && status !== undefined && <Badge tone={TONES[status]}>{status}</Badge>}
        {status === 'streaming' && <span className="mono">token {index}</span>}
        {tokens !== undefined && <span>{tokens} tokens</span>}
        {resumes > 0 && <span>resumed {resumes}×</span>}
        {isAnswer && status !== 'streaming' && chat.connection.isOpen && (
          <button type="button" className="text-button" onClick={() => chat.resume(id, -1)}>
            Stream it again
          </button>
        )}
      </footer>
    </article>
  );
}

function ChatActions({ person, chat }: { readonly person: Person; readonly chat: Chat }): ReactNode {
  const { answers, connection } = chat;
  const isStreaming = answers.streaming !== undefined;
  const isOpen = connection.isOpen;
  const hasAnswer = answers.all.some(({ role }) => role === 'assistant');
  return (
    <div className="chat-actions">
      <Button
        className="small"
        tone="danger"
        disabled={!isStreaming || !isOpen}
        onClick={({ currentTarget }) => {
          chat.stop();
          // It has nothing to stop now, and would keep the focus to itself: the next question is typed at once.
          currentTarget.closest('.talk')?.querySelector('textarea')?.focus();
        }}
      >
        Stop
      </Button>
      {connection.state === 'closed' ? (
        <Button className="small" onClick={() => chat.connect()}>
          {isStreaming ? 'Resume the answer' : 'Come back'}
        </Button>
      ) : (
        <Button className="small" disabled={!isOpen} onClick={() => chat.close()}>
          Leave
        </Button>
      )}
      <Button
        className="small"
        disabled={isStreaming || !isOpen || !hasAnswer}
        isBusy={person.chats.isRegenerating && !isStreaming}
        onClick={() => void person.chats.regenerate()}
      >
        Regenerate
      </Button>
    </div>
  );
}
