/**
 * What everybody can see and use: axe in every state, light and dark, and nothing that ever moves.
 */
import { emulateMedia, setViewport } from '@web/test-runner-commands';
import type { AxeResults } from 'axe-core';
import { expect } from 'chai';
import 'axe-core/axe.min.js';
import { type Mounted, mount } from './testing/fixture.ts';
import { answerWith, failNext, goOffline, holdBack } from './testing/network.ts';
import { codeSentTo, createIntent, freshPhone, pass } from './testing/verifier.ts';

declare global {
  interface Window {
    axe: { run: (context: Element, options: object) => Promise<AxeResults> };
  }
}

const transaction = {
  amount: '250.00',
  currency: 'EUR',
  payee: 'Greenfield Bikes',
  reference: 'Invoice 2041',
};
const askedBadly = async (phone: string) => {
  const mounted = await mount('country="NL"');
  await mounted.type('#number', phone);
  await mounted.press('#send');
  return mounted;
};
const asked = async (attributes = '') => {
  const mounted = await mount(attributes);
  await mounted.askForCode();
  return mounted;
};

const states: Record<string, () => Promise<Mounted>> = {
  phone: () => mount('required'),
  'a missing number': () => askedBadly(''),
  'an invalid number': async () => {
    const mounted = await askedBadly('06123456');
    await mounted.settle(() => mounted.text('#line').startsWith('This is not'));
    return mounted;
  },
  sending: async () => {
    const mounted = await mount();
    await mounted.type('#number', freshPhone());
    failNext('/v1/verifications', holdBack().fault);
    await mounted.press('#send');
    return mounted;
  },
  limited: async () => {
    const mounted = await mount();
    await mounted.type('#number', freshPhone());
    failNext('/v1/verifications', answerWith(429, { code: 'too-many-requests' }, { 'Retry-After': '100' }));
    await mounted.press('#send');
    await mounted.settle(() => mounted.text('#line').includes('2 minutes'));
    return mounted;
  },
  offline: async () => {
    const mounted = await mount();
    await mounted.type('#number', freshPhone());
    goOffline();
    await mounted.press('#send');
    await mounted.settle(() => mounted.text('#line').startsWith('You are offline'));
    return mounted;
  },
  disabled: () => mount('disabled'),
  code: () => asked(),
  'half a code': async () => {
    const mounted = await asked();
    await mounted.type('#code', '123');
    return mounted;
  },
  'send again': async () => {
    const mounted = await asked();
    await pass(31_000);
    await mounted.settle(() => mounted.text('#again') === 'Send again');
    return mounted;
  },
  'a wrong code': async () => {
    const mounted = await mount();
    const code = await codeSentTo(await mounted.askForCode());
    await mounted.type('#code', String((Number(code) + 1) % 1_000_000).padStart(6, '0'));
    await mounted.settle(() => mounted.text('#line') === 'Wrong code, 4 attempts left.');
    return mounted;
  },
  'an expired code': async () => {
    const mounted = await asked();
    await pass(300_000);
    await mounted.settle(() => mounted.text('#again') === 'Text me a new code');
    return mounted;
  },
  verified: async () => {
    const mounted = await mount();
    await mounted.verify();
    return mounted;
  },
  intent: async () => mount(`intent="${await createIntent({ phone: freshPhone(), purpose: 'login' })}"`),
};

const transactionStates: Record<string, (mounted: Mounted) => Promise<void>> = {
  'a transaction': async ({ settle, text }) => settle(() => text('.amount') !== ''),
  'its code': async ({ settle, press, element }) => {
    await press('#send');
    await settle(() => element.status === 'code');
  },
};

/** Colours are looked at, and boxes measured, when everything has appeared. */
const stillness = async ({ element }: Mounted) => {
  await element.updateComplete;
  for (const animation of element.shadowRoot?.getAnimations() ?? []) {
    if (animation.effect?.getComputedTiming().iterations === 1) animation.finish();
  }
};

const complaints = async (mounted: Mounted) => {
  await stillness(mounted);
  const { violations } = await window.axe.run(mounted.element, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    // About whole pages, which this is not.
    rules: { region: { enabled: false } },
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
};

describe('everybody can use it', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    describe(colorScheme, () => {
      before(() => emulateMedia({ colorScheme }));
      after(() => emulateMedia({ colorScheme: 'light' }));
      for (const [name, reach] of Object.entries(states)) {
        it(`in the state: ${name}`, async () => expect(await complaints(await reach())).to.deep.equal([]));
      }
      it('with a transaction', async () => {
        const intent = await createIntent({ phone: freshPhone(), purpose: 'transaction', transaction });
        const mounted = await mount(`intent="${intent}"`);
        for (const reach of Object.values(transactionStates)) {
          await reach(mounted);
          expect(await complaints(mounted)).to.deep.equal([]);
        }
      });
    });
  }

  it('has targets that a thumb can hit', async () => {
    for (const state of ['phone', 'code', 'an expired code']) {
      const { element } = await states[state]!();
      for (const control of element.shadowRoot?.querySelectorAll<HTMLElement>('input, select, .button') ??
        []) {
        expect(control.getBoundingClientRect().height, control.id).to.be.at.least(44);
      }
    }
  });
});

/** What has moved, for whoever has to mend it. */
const sourcesOf = (sources: unknown): string =>
  Array.from(sources as { node: Node | null }[], ({ node }) =>
    node instanceof Element ? node.outerHTML : `${node?.parentElement?.outerHTML}: ${node?.textContent}`,
  ).join(' ');

describe('nothing moves', () => {
  for (const width of [320, 390, 1280]) {
    it(`from state to state, ${width} px wide`, async () => {
      await setViewport({ width, height: 720 });
      const heights: Record<string, number> = {};
      for (const [name, reach] of Object.entries(states)) {
        const mounted = await reach();
        await stillness(mounted);
        heights[name] = mounted.element.offsetHeight;
        expect(document.documentElement.scrollWidth, name).to.equal(width);
      }
      const [height] = Object.values(heights);
      expect(heights).to.deep.equal(Object.fromEntries(Object.keys(states).map((name) => [name, height])));
      await setViewport({ width: 1280, height: 720 });
    });
  }

  it('as the browser itself measures it', async () => {
    const shifts: string[] = [];
    const mounted = await mount();
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if ('sources' in entry) shifts.push(sourcesOf(entry.sources));
    });
    observer.observe({ type: 'layout-shift', buffered: false });
    const wrong = async (phone: string) => {
      await mounted.type('#number', phone);
      await mounted.press('#send');
    };
    await wrong('');
    await wrong('06');
    const phone = await mounted.askForCode();
    await mounted.type('#code', '00');
    await pass(31_000);
    await mounted.settle(() => mounted.text('#again') === 'Send again');
    await mounted.type('#code', await codeSentTo(phone));
    await mounted.settle(() => mounted.element.status === 'verified');
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100)));
    observer.disconnect();
    expect(shifts).to.deep.equal([]);
  });
});

describe('themes', () => {
  const colorOf = ({ find }: Mounted, selector: string) => getComputedStyle(find(selector));
  it('follow the page, unless told', async () => {
    const light = colorOf(await mount(), '#send').backgroundColor;
    const dark = colorOf(await mount('theme="dark"'), '#send').backgroundColor;
    expect(dark).not.to.equal(light);
    await emulateMedia({ colorScheme: 'dark' });
    expect(colorOf(await mount(), '#send').backgroundColor).to.equal(dark);
    expect(colorOf(await mount('theme="light"'), '#send').backgroundColor).to.equal(light);
    await emulateMedia({ colorScheme: 'light' });
  });
  it('inherit font and colour', async () => {
    const mounted = await mount();
    mounted.form.style.cssText = 'color: rgb(1, 2, 3); font-family: monospace';
    const style = colorOf(mounted, '#number');
    expect([style.color, style.fontFamily]).to.deep.equal(['rgb(1, 2, 3)', 'monospace']);
  });
  it('are custom properties', async () => {
    const mounted = await mount();
    mounted.element.style.setProperty('--phone-proof-accent', 'rgb(1, 2, 3)');
    mounted.element.style.setProperty('--phone-proof-radius', '3px');
    const style = colorOf(mounted, '#send');
    expect([style.backgroundColor, style.borderRadius]).to.deep.equal(['rgb(1, 2, 3)', '3px']);
  });
});
