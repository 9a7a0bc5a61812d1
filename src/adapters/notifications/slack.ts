import type { DriftEvent } from '../../core/drift/notifications.ts';
import { defuse } from '../../lib/defuse.ts';
import { oneLine } from '../../lib/markdown-text.ts';
import type { Notification, Notifier } from '../../ports/notifier.ts';
import { postJson, type Receiver } from './post-json.ts';

const TITLES: Readonly<Record<DriftEvent, string>> = {
  drift_opened: 'Drift',
  drift_changed: 'Other drift',
  drift_resolved: 'Drift is gone',
  remediation_done: 'Drift was put right',
  remediation_failed: 'Drift could not be put right',
  check_overdue: 'Drift check is overdue',
  suspended_too_long: 'Drift checks are suspended',
};

const NAME_LENGTH = 200;
const SENTENCE_LENGTH = 1_000;

/**
 * An incoming webhook of Slack (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks), and of Mattermost, Rocket.Chat
 * and others that take the same. Only `text` is common to all of them; previews of links are fetched by nobody.
 */
export function createSlackNotifier(receiver: Receiver): Notifier {
  return {
    send: (notification) => {
      const message = { text: toText(notification), mrkdwn: false, unfurl_links: false, unfurl_media: false };
      return postJson(receiver, JSON.stringify(message), {});
    },
  };
}

function toText({ payload, pageUrl }: Notification): string {
  const { event, sentence, fingerprint, repository, project } = payload;
  const title = `${TITLES[event]}: ${chatText(project.title, NAME_LENGTH)} of ${chatText(repository.name, NAME_LENGTH)}`;
  const mark = fingerprint === undefined ? '' : ` (${chatText(fingerprint, NAME_LENGTH)})`;
  return [title, `${chatText(sentence, SENTENCE_LENGTH)}${mark}`, escapeControl(pageUrl)].join('\n');
}

/** Where an address begins, which would become a link, and where Markdown's links are put together. */
const LINK = /(?<=:)(?=\/\/)|(?<=\])(?=\()|(?<=www)(?=\.)|(?<=(?:mailto|tel):)/gi;

/** Hostile text as it stands: without line ends, and so that it mentions nobody and links to nothing. */
export function chatText(text: string, max: number): string {
  return escapeControl(defuse(oneLine(text, max)).replace(LINK, '\u200B'));
}

/** Slack's three control characters; https://docs.slack.dev/messaging/formatting-message-text */
function escapeControl(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
