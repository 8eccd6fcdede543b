import { expect } from 'chai';
import {
  type CodeStep,
  type Flow,
  type FlowEvent,
  initial,
  isBusy,
  type Problem,
  transition,
  type Verification,
} from './flow.ts';

const verification: Verification = {
  id: 'vrf_1',
  clientSecret: 'secret',
  status: 'pending',
  phone: '+31612345678',
  phoneMasked: '+31 6 •••• 5678',
  code: { length: 6, alphabet: 'numeric' },
  attemptsRemaining: 5,
  expiresAt: 300_000,
  delivery: 'sent',
  deliveryAt: 0,
  resendAt: 30_000,
  resendsRemaining: 3,
  transaction: null,
};
const target = { phone: '0612345678', country: 'NL' };
const guess = { key: 'k', code: '123456' };
const problem = (code: string, more: Partial<Problem> = {}): Problem => ({
  code,
  detail: '',
  retryAt: null,
  attemptsRemaining: null,
  resend: null,
  verification: null,
  ...more,
});

const send: FlowEvent = { type: 'send', key: 'k', target };
const sent: FlowEvent = { type: 'sent', key: 'k', verification };
const enter: FlowEvent = { type: 'check', key: 'k', code: '123456' };
const approved: FlowEvent = { type: 'approved', key: 'k', proof: 'proof', expiresAt: 600_000 };
const refused = (code: string, more?: Partial<Problem>): FlowEvent => ({
  type: 'refused',
  key: 'k',
  problem: problem(code, more),
});
const lost = (more: Partial<FlowEvent & { type: 'lost' }> = {}): FlowEvent => ({
  type: 'lost',
  key: 'k',
  offline: false,
  now: 0,
  retryAt: null,
  ...more,
});

/** Where a story of events ends, and everything it asked for on the way. */
function tell(...story: FlowEvent[]) {
  let flow: Flow = initial;
  const effects = [];
  for (const event of story) {
    const [next, more] = transition(flow, event);
    flow = next;
    effects.push(...more);
  }
  return { flow, effects, asked: effects.map((effect) => ('event' in effect ? effect.event : effect.type)) };
}

const codeStep = (...story: FlowEvent[]): CodeStep => {
  const { flow } = tell(send, sent, ...story);
  if (flow.step !== 'code') throw new Error(`in step ${flow.step}`);
  return flow;
};
const activity = (flow: Flow) => (flow.step === 'verified' ? null : flow.activity);

describe('the flow', () => {
  it('goes from the number to the code to the proof', () => {
    const { flow, asked } = tell(send, sent, enter, approved);
    expect(flow).to.deep.equal({
      step: 'verified',
      verification,
      guess,
      proof: 'proof',
      expiresAt: 600_000,
    });
    expect(asked).to.deep.equal(['request', 'code-sent', 'request', 'verified']);
  });

  it('asks once, however often a button is pressed meanwhile', () => {
    expect(tell(send, { ...send, key: 'k2' }, { ...send, key: 'k3' }).asked).to.deep.equal(['request']);
    const resend: FlowEvent = { type: 'resend', key: 'r' };
    expect(tell(send, sent, resend, { ...resend, key: 'r2' }).asked).to.deep.equal([
      'request',
      'code-sent',
      'request',
    ]);
    expect(tell(send, sent, enter, { ...enter, key: 'k2' }).asked).to.deep.equal([
      'request',
      'code-sent',
      'request',
    ]);
  });

  it('does not begin another verification while a code can be entered', () => {
    expect(tell(send, sent, { ...send, key: 'k2' }).asked).to.deep.equal(['request', 'code-sent']);
  });

  it('ignores what an earlier request brings', () => {
    const late: FlowEvent[] = [
      { ...sent, key: 'old' },
      { ...approved, key: 'old' },
      { type: 'refused', key: 'old', problem: problem('blocked') },
      lost({ key: 'old' }),
    ];
    for (const event of late) {
      const { flow } = tell(send, event);
      expect(isBusy(flow), event.type).to.equal(true);
    }
    expect(tell(send, sent, enter, { type: 'change' }, approved).flow).to.equal(initial);
  });

  describe('when the server says no', () => {
    const cases: [string, Flow, Record<string, unknown>][] = [
      [
        'to a number',
        tell(send, refused('invalid-phone')).flow,
        { step: 'phone', activity: { kind: 'error', trouble: { code: 'invalid-phone', until: null } } },
      ],
      [
        'for a while',
        tell(send, refused('too-many-requests', { retryAt: 9 })).flow,
        { step: 'phone', activity: { kind: 'error', trouble: { code: 'too-many-requests', until: 9 } } },
      ],
      [
        'to a code',
        codeStep(enter, refused('incorrect-code', { attemptsRemaining: 3 })),
        { over: null, activity: { kind: 'error', trouble: { code: 'incorrect-code', until: null } } },
      ],
      [
        'to the last code',
        codeStep(enter, refused('incorrect-code', { attemptsRemaining: 0 })),
        { over: 'failed' },
      ],
      ['to a code too late', codeStep(enter, refused('verification-expired')), { over: 'expired' }],
      ['to a closed verification', codeStep(enter, refused('verification-closed')), { over: 'closed' }],
      [
        'to a resend too early',
        codeStep(
          { type: 'resend', key: 'k' },
          refused('resend-too-early', { resend: { at: 40_000, remaining: 2 } }),
        ),
        { over: null, activity: { kind: 'error', trouble: { code: 'resend-too-early', until: 40_000 } } },
      ],
    ];
    for (const [name, flow, expected] of cases) {
      it(`${name}, it says what can be done`, () =>
        expect(flow).to.include.keys('activity').and.deep.include(expected));
    }

    it('keeps count of the guesses', () => {
      const flow = codeStep(enter, refused('incorrect-code', { attemptsRemaining: 3 }));
      expect(flow.verification.attemptsRemaining).to.equal(3);
    });

    it('tells the page, too', () => {
      expect(tell(send, refused('blocked')).effects.at(-1)).to.deep.equal({
        type: 'emit',
        event: 'failed',
        code: 'blocked',
        detail: '',
      });
    });

    it('goes to the code step all the same when only the message could not be sent', () => {
      const { flow } = tell(send, refused('delivery-failed', { verification }));
      expect(flow).to.deep.include({ step: 'code', verification });
      expect(activity(flow)).to.deep.include({ kind: 'error' });
    });

    it('takes the number of resends from the server', () => {
      const flow = codeStep(
        { type: 'resend', key: 'k' },
        refused('resends-exhausted', { resend: { at: 0, remaining: 0 } }),
      );
      expect(flow.verification.resendsRemaining).to.equal(0);
      expect(transition(flow, { type: 'resend', key: 'r' })).to.deep.equal([flow, []]);
    });

    it('forgets the error once something is changed', () => {
      expect(tell(send, refused('invalid-phone'), { type: 'edit' }).flow).to.deep.equal(initial);
    });

    it('forgets the error once its time has come', () => {
      const story = [send, refused('too-many-requests', { retryAt: 9 })];
      expect(activity(tell(...story, { type: 'tick', now: 8 }).flow)).to.deep.include({ kind: 'error' });
      expect(tell(...story, { type: 'tick', now: 9 }).flow).to.deep.equal(initial);
    });
  });

  describe('when no answer comes', () => {
    it('keeps the request with its key, and repeats it when the network is back', () => {
      const { effects } = tell(send, lost({ offline: true }), { type: 'retry' });
      expect(effects).to.deep.equal([
        { type: 'request', request: { kind: 'start', key: 'k', target } },
        { type: 'request', request: { kind: 'start', key: 'k', target } },
      ]);
    });

    it('repeats it with the same key when the person asks for the same again', () => {
      const { effects } = tell(send, lost(), { ...send, key: 'k2' });
      expect(effects.map((effect) => 'request' in effect && effect.request.key)).to.deep.equal(['k', 'k']);
    });

    it('makes a new request when the person asks for something else', () => {
      const other: FlowEvent = { type: 'send', key: 'k2', target: { phone: '0687654321', country: 'NL' } };
      const { effects } = tell(send, lost(), other);
      expect(effects.map((effect) => 'request' in effect && effect.request.key)).to.deep.equal(['k', 'k2']);
    });

    it('waits as long as the server asked, else ever longer, and at last for the person', () => {
      expect(activity(tell(send, lost({ retryAt: 7000 })).flow)).to.deep.include({ retryAt: 7000 });
      const pauses = [];
      let { flow } = tell(send);
      for (let round = 0; round < 8; round++) {
        [flow] = transition(flow, lost());
        const now = activity(flow);
        pauses.push(now?.kind === 'waiting' ? now.retryAt : 'none');
        [flow] = transition(flow, { type: 'retry' });
      }
      expect(pauses).to.deep.equal([2000, 4000, 8000, 16_000, 32_000, 64_000, null, null]);
    });

    it('does not wait for a time when offline', () => {
      expect(activity(tell(send, lost({ offline: true })).flow)).to.deep.include({
        reason: 'offline',
        retryAt: null,
      });
    });

    it('repeats by itself at that time', () => {
      const { flow, asked } = tell(send, lost({ retryAt: 7000 }), { type: 'tick', now: 7000 });
      expect(isBusy(flow)).to.equal(true);
      expect(asked).to.deep.equal(['request', 'request']);
    });

    it('asks again for a proof whose answer was lost, once it sees that there is one', () => {
      const seen: FlowEvent = { type: 'seen', verification: { ...verification, status: 'approved' } };
      expect(isBusy(codeStep(enter, lost({ offline: true }), seen))).to.equal(true);
    });
  });

  describe('in time', () => {
    it('ends a code at its end, and offers a new one in place', () => {
      const flow = codeStep({ type: 'tick', now: 300_000 });
      expect(flow.over).to.equal('expired');
      const [renewing] = transition(flow, { type: 'send', key: 'k2', target });
      expect(renewing).to.deep.include({ step: 'code', over: 'expired' });
      const fresh = { ...verification, id: 'vrf_2' };
      const [renewed] = transition(renewing, { type: 'sent', key: 'k2', verification: fresh });
      expect(renewed).to.deep.include({ step: 'code', over: null, verification: fresh });
    });

    it('leaves a code that was sent off in time to the server', () => {
      expect(codeStep(enter, { type: 'tick', now: 300_001 }).over).to.equal(null);
    });

    it('ends a proof at its end, and says why', () => {
      const { flow, effects } = tell(send, sent, enter, approved, { type: 'tick', now: 600_000 });
      expect(flow).to.deep.include({ step: 'phone' });
      expect(activity(flow)).to.deep.equal({
        kind: 'error',
        trouble: { code: 'proof-expired', until: null },
      });
      expect(effects.at(-1)).to.deep.equal({ type: 'emit', event: 'expired', what: 'proof' });
    });
  });

  describe('when something happens elsewhere', () => {
    const seen = (change: Partial<Verification>): FlowEvent => ({
      type: 'seen',
      verification: { ...verification, ...change },
    });
    it('shows the delivery', () => {
      expect(codeStep(seen({ delivery: 'delivered' })).verification.delivery).to.equal('delivered');
    });
    it('lets go of a failed delivery that was made good', () => {
      const story = [
        send,
        refused('delivery-failed', { verification: { ...verification, delivery: 'failed' } }),
      ];
      expect(activity(tell(...story, seen({ delivery: 'failed' })).flow)).to.deep.include({ kind: 'error' });
      expect(activity(tell(...story, seen({ delivery: 'sent' })).flow)).to.deep.equal({ kind: 'idle' });
    });
    for (const [status, over] of [
      ['expired', 'expired'],
      ['failed', 'failed'],
      ['canceled', 'closed'],
      ['approved', 'closed'],
    ] as const) {
      it(`takes note that it is ${status}`, () => expect(codeStep(seen({ status })).over).to.equal(over));
    }
    it('does not let old news of it end a request under way', () => {
      expect(isBusy(codeStep(enter, seen({ status: 'canceled' })))).to.equal(true);
    });
    it('is not concerned by another verification', () => {
      const flow = codeStep();
      expect(transition(flow, seen({ id: 'vrf_2', status: 'canceled' }))).to.deep.equal([flow, []]);
    });
  });

  describe('going back', () => {
    it('makes the code worthless', () => {
      const { flow, effects } = tell(send, sent, { type: 'change' });
      expect(flow).to.equal(initial);
      expect(effects.at(-1)).to.deep.equal({ type: 'cancel', verification });
    });
    it('has nothing to cancel when the code is dead or used', () => {
      expect(tell(send, sent, { type: 'tick', now: 300_000 }, { type: 'change' }).asked.at(-1)).to.equal(
        'expired',
      );
      expect(tell(send, sent, enter, approved, { type: 'change' }).asked.at(-1)).to.equal('verified');
    });
  });

  describe('after a reload', () => {
    it('goes on at the code', () => {
      const { flow } = tell({ type: 'restore', verification, guess: null });
      expect(flow).to.deep.include({ step: 'code', restored: true, activity: { kind: 'idle' } });
    });
    it('asks for the same proof with the same key', () => {
      const { effects } = tell({ type: 'restore', verification, guess });
      expect(effects).to.deep.equal([
        { type: 'request', request: { kind: 'check', ...guess, verification } },
      ]);
    });
    it('begins anew without a word when that came to nothing', () => {
      for (const code of ['verification-closed', 'verification-expired', 'verification-not-found']) {
        const { flow, asked } = tell({ type: 'restore', verification, guess }, refused(code));
        expect(flow, code).to.equal(initial);
        expect(asked).to.deep.equal(['request']);
      }
      expect(
        tell({ type: 'restore', verification, guess: null }, { type: 'gone', id: 'vrf_1' }).flow,
      ).to.equal(initial);
    });
    it('does not overrun what has begun since', () => {
      expect(isBusy(tell(send, { type: 'restore', verification, guess: null }).flow)).to.equal(true);
    });
  });
});
