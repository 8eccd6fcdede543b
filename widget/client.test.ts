import { expect } from 'chai';
import { createClient } from './client.ts';
import { ServerClock } from './clock.ts';
import {
  answerWith,
  failNext,
  healNetwork,
  loseAnswer,
  loseRequest,
  recordCalls,
} from './testing/network.ts';
import { codeSentTo, freshPhone, messagesTo } from './testing/verifier.ts';

const clock = new ServerClock();
const client = createClient({ server: verifierUrl, siteKey: 'pk_test', clock });
const start = async (phone = freshPhone(), key: string = crypto.randomUUID()) => {
  const outcome = await client.start({ phone, purpose: 'registration' }, key);
  if (outcome.kind !== 'answered') throw new Error(JSON.stringify(outcome));
  return outcome.value;
};

describe('the client', () => {
  beforeEach(healNetwork);

  it('reads the configuration of a site', async () => {
    expect(await client.config({ purpose: 'checkout' })).to.deep.equal({
      kind: 'answered',
      value: {
        countries: ['NL', 'BE'],
        defaultCountry: 'NL',
        purpose: 'checkout',
        termsUrl: 'https://shop.example/terms',
        privacyUrl: null,
        intent: null,
      },
    });
  });

  it('starts, reads, resends, checks and cancels', async () => {
    const phone = freshPhone();
    const verification = await start(phone);
    expect(verification).to.include({ phone, status: 'pending', attemptsRemaining: 5, resendsRemaining: 3 });
    const read = await client.read(verification, new AbortController().signal);
    expect(read.kind === 'answered' && read.value.clientSecret).to.equal(verification.clientSecret);
    const tooEarly = await client.resend(verification, {}, crypto.randomUUID());
    expect(tooEarly.kind === 'refused' && tooEarly.problem.code).to.equal('resend-too-early');
    const checked = await client.check(verification, await codeSentTo(phone), crypto.randomUUID());
    expect(checked.kind === 'answered' && checked.value.proof).to.match(/^ey/);
    expect((await client.cancel(await start())).kind).to.equal('answered');
  });

  it('gets the first answer again for the same key', async () => {
    const phone = freshPhone();
    const key = crypto.randomUUID();
    expect((await start(phone, key)).id).to.equal((await start(phone, key)).id);
    expect(await messagesTo(phone)).to.have.length(1);
  });

  it('sends its keys where they belong, and no cookie', async () => {
    const calls = recordCalls();
    const verification = await start(freshPhone(), 'key-1');
    await client.read(verification, new AbortController().signal);
    expect(calls.map(({ key }) => key)).to.deep.equal(['key-1', null]);
  });

  it('says by code what was refused', async () => {
    const outcome = await client.start({ phone: '12', country: 'NL', purpose: 'registration' }, 'key-2');
    expect(outcome).to.deep.include({ kind: 'refused' });
    expect(outcome.kind === 'refused' && outcome.problem.code).to.equal('invalid-phone');
  });

  describe('calls an answer lost', () => {
    const outcomeOf = async (fault: Parameters<typeof failNext>[1]) => {
      failNext('/v1/verifications', fault);
      return client.start({ phone: freshPhone(), purpose: 'registration' }, crypto.randomUUID());
    };
    it('when there is no network, before or after', async () => {
      const lost = { kind: 'lost', offline: false, retryAt: null };
      expect(await outcomeOf(loseRequest)).to.deep.equal(lost);
      expect(await outcomeOf(loseAnswer)).to.deep.equal(lost);
    });
    it('when the server is unavailable, and takes its word for how long', async () => {
      const outcome = await outcomeOf(answerWith(503, { code: 'unavailable' }, { 'Retry-After': '7' }));
      if (outcome.kind !== 'lost' || !outcome.retryAt) throw new Error(outcome.kind);
      expect(outcome.retryAt - clock.now()).to.be.within(6500, 7000);
    });
    it('when it is not from the server at all', async () => {
      for (const body of ['<h1>Bad gateway</h1>', '', '{}', '[]', 'null', '{"code":7}']) {
        for (const status of [200, 201, 400, 502, 504]) {
          const outcome = await outcomeOf(async () => new Response(body, { status }));
          expect(outcome.kind, `${status} ${body}`).to.equal('lost');
        }
      }
    });
  });

  it('reads how long a refusal lasts, from body or header', async () => {
    const retryAt = new Date(clock.now() + 90_000).toISOString();
    for (const fault of [
      answerWith(429, { code: 'too-many-requests', retryAt }),
      answerWith(429, { code: 'too-many-requests' }, { 'Retry-After': '90' }),
    ]) {
      failNext('/v1/verifications', fault);
      const outcome = await client.start({ phone: freshPhone(), purpose: 'registration' }, 'key-3');
      if (outcome.kind !== 'refused' || !outcome.problem.retryAt) throw new Error(outcome.kind);
      expect(outcome.problem.retryAt - clock.now()).to.be.within(89_000, 90_001);
    }
  });

  it('does not make a link of an address that is none', async () => {
    failNext('/v1/widget-config', async (send) => {
      const config = await (await send()).json();
      return Response.json({ ...config, termsUrl: 'javascript:alert(1)' });
    });
    const outcome = await client.config({});
    expect(outcome.kind === 'answered' && outcome.value.termsUrl).to.equal(null);
  });
});

describe("the server's clock", () => {
  it('is known from what it says has happened, however wrong our own is', async () => {
    const observer = new ServerClock();
    const remote = Date.now() + 7_200_000;
    observer.witness(remote - 500);
    observer.witness(remote);
    observer.witness(remote - 90_000);
    expect(observer.now() - remote).to.be.within(0, 50);
  });
  it('is our own until then', () => expect(new ServerClock().now() - Date.now()).to.be.within(-1, 1));
});
