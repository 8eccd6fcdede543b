import { hasSubscribers } from 'node:diagnostics_channel';
import { type ClientRequest, get } from 'node:http';
import { describe, expect, it } from 'vitest';
import { observeRequest } from './observe-request.ts';

/** Begun and given up: nothing of it leaves the process. */
function begin(host: string): ClientRequest {
  const request = get({ host, port: 1 });
  request.on('error', () => {});
  request.destroy();
  return request;
}

function observedDuring(call: () => void): ClientRequest[] {
  const observed: ClientRequest[] = [];
  observeRequest('127.0.0.2', (request) => observed.push(request), call);
  return observed;
}

describe('observing a request', () => {
  it('hands over the very request that the call made', () => {
    let made: ClientRequest | undefined;
    const observed = observedDuring(() => {
      made = begin('127.0.0.2');
    });
    expect(observed).toHaveLength(1);
    expect(observed[0]).toBe(made);
  });

  it('passes over what is made for another host meanwhile, and takes the first only', () => {
    let made: ClientRequest | undefined;
    const observed = observedDuring(() => {
      begin('127.0.0.1');
      made = begin('127.0.0.2');
      begin('127.0.0.2');
    });
    expect(observed).toHaveLength(1);
    expect(observed[0]).toBe(made);
  });

  it('sees nothing of what comes before and after', () => {
    begin('127.0.0.2');
    expect(observedDuring(() => {})).toEqual([]);
    begin('127.0.0.2');
  });

  it('stops listening when the call throws, and lets the error through', () => {
    const failure = new Error('no request');
    expect(() =>
      observedDuring(() => {
        throw failure;
      }),
    ).toThrow(failure);
    expect(hasSubscribers('http.client.request.created')).toBe(false);
  });
});
