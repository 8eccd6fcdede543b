import { expect } from 'chai';
import { type CountryCode, getCountries, getCountryCallingCode } from 'libphonenumber-js/min';
import metadata from 'libphonenumber-js/min/metadata';
import {
  allCountries,
  callingCodeAtStart,
  callingCodeOf,
  chooseCountry,
  countryOfNumber,
  nameCountries,
  regionsOf,
} from './countries.ts';

describe('the table of countries', () => {
  it('is as new as the metadata it was generated from', () => {
    const fresh = Object.fromEntries(
      getCountries().map((country) => [country, getCountryCallingCode(country)]),
    );
    const ours = Object.fromEntries(allCountries.map((country) => [country, callingCodeOf(country)]));
    expect(ours, 'run `node scripts/generate-phone-data.ts`').to.deep.equal(fresh);
  });

  it('knows the main country of every calling code', () => {
    for (const [callingCode, countries] of Object.entries<CountryCode[]>(metadata.country_calling_codes)) {
      expect(countryOfNumber(`${callingCode}12345678`, null), callingCode).to.equal(countries[0]);
    }
  });

  it('has no calling code that begins another', () => {
    for (const country of allCountries) {
      const callingCode = callingCodeOf(country)!;
      expect(callingCodeAtStart(`${callingCode}000`)).to.equal(callingCode);
    }
  });
});

describe('the country of a number', () => {
  for (const [digits, chosen, allowed, country] of [
    ['447400123456', 'NL', undefined, 'GB'],
    ['447400123456', 'JE', undefined, 'JE'],
    ['12125550100', null, undefined, 'US'],
    ['12125550100', 'CA', undefined, 'CA'],
    ['12125550100', null, ['CA', 'NL'], 'CA'],
    ['12125550100', null, ['NL'], undefined],
    ['999', null, undefined, undefined],
    ['', 'NL', undefined, undefined],
  ] as const) {
    it(`+${digits} with ${chosen} chosen${allowed ? ` of ${allowed}` : ''} is ${country}`, () => {
      expect(countryOfNumber(digits, chosen, allowed)).to.equal(country);
    });
  }
});

describe('the country to begin with', () => {
  it('is the first guess that is allowed', () => {
    expect(chooseCountry([null, 'FR', 'BE'], ['NL', 'BE'])).to.equal('BE');
  });
  it('is the first allowed one when no guess is', () => {
    expect(chooseCountry(['FR'], ['NL', 'BE'])).to.equal('NL');
    expect(chooseCountry(['FR'], [])).to.equal(null);
  });
  it('is what languages name, before what they suggest', () => {
    expect(regionsOf(['nl', 'fr-BE', 'not a tag!']).filter(Boolean)).to.deep.equal(['BE', 'NL', 'BE']);
  });
});

describe('the names of countries', () => {
  it('stand in the order of their language', () => {
    const names = nameCountries(['SE', 'AT', 'EG'], 'de').map(({ name }) => name);
    expect(names).to.deep.equal(['Ägypten', 'Österreich', 'Schweden']);
  });
});
