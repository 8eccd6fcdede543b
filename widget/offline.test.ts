import { expect } from 'chai';
import { mount } from './testing/fixture.ts';
import { answerWith, failNext, goOffline, goOnline, loseAnswer, recordCalls } from './testing/network.ts';
import { codeSentTo, freshPhone, messagesTo, pass } from './testing/verifier.ts';

const keysOf = (calls: ReturnType<typeof recordCalls>, ending: string) =>
  calls.filter(({ method, path }) => method === 'POST' && path.endsWith(ending)).map(({ key }) => key);

describe('without a network', () => {
  it('keeps what was asked for, and does it when the network is back', async () => {
    const { element, type, press, text, find, settle } = await mount();
    const calls = recordCalls();
    const phone = freshPhone();
    await type('#number', phone);
    goOffline();
    await press('#send');
    await settle(() => text('#line') === 'You are offline. We go on by ourselves when you are back.');
    expect(text('#send')).to.equal('Try again now');
    expect(find<HTMLInputElement>('#number').value).to.equal(phone);
    goOnline();
    await settle(() => element.status === 'code');
    expect(await messagesTo(phone)).to.have.length(1);
    expect(new Set(keysOf(calls, '/v1/verifications')).size).to.equal(1);
  });

  it('sends nothing twice when only the answer was lost', async () => {
    const { element, type, press, text, settle } = await mount();
    const calls = recordCalls();
    const phone = freshPhone();
    await type('#number', phone);
    failNext('/v1/verifications', loseAnswer);
    await press('#send');
    await settle(() => text('#line').startsWith('No answer from the server.'));
    expect(await messagesTo(phone)).to.have.length(1);
    await press('#send');
    await settle(() => element.status === 'code');
    expect(await messagesTo(phone)).to.have.length(1);
    const keys = keysOf(calls, '/v1/verifications');
    expect(keys).to.have.length(2);
    expect(keys[0]).to.equal(keys[1]);
  });

  it('gets the proof of a code that was accepted unheard', async () => {
    const { element, askForCode, type, press, text, settle } = await mount();
    const code = await codeSentTo(await askForCode());
    failNext('/check', loseAnswer);
    await type('#code', code);
    await settle(() => text('#again') === 'Try again now');
    await press('#again');
    await settle(() => element.status === 'verified');
  });

  it('sends one message when a resend was carried out unheard', async () => {
    const { askForCode, press, text, settle } = await mount();
    const phone = await askForCode();
    await pass(31_000);
    await settle(() => text('#again') === 'Send again');
    failNext('/resend', loseAnswer);
    await press('#again');
    await settle(() => text('#again') === 'Try again now');
    await press('#again');
    await settle(() => text('#again').startsWith('Send again in'));
    expect(await messagesTo(phone)).to.have.length(2);
  });

  it('waits as long as an unavailable server asks, and then repeats by itself', async () => {
    const { element, type, press, text, settle } = await mount();
    await type('#number', freshPhone());
    failNext('/v1/verifications', answerWith(503, { code: 'unavailable' }, { 'Retry-After': '7' }));
    await press('#send');
    await settle(() => text('#line') === 'No answer from the server. We try again in 7 seconds.');
    await pass(7000);
    await settle(() => element.status === 'code');
  });
});
