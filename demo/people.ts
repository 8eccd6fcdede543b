/**
 * Who has an account, with the mobile number each of them registered.
 *
 *     const anna = people.byEmail('anna@polder.example');
 *     if (anna && people.hasPassword(anna, 'tulips-in-april')) …
 */
import { randomBytes, randomUUID, scryptSync, timingSafeEqual } from 'node:crypto';

export type Person = {
  id: string;
  name: string;
  email: string;
  /** E.164. Known to the backend only: no page that acts by intent ever contains it. */
  phone: string;
};

type NewPerson = Omit<Person, 'id'> & { password: string };

export type People = {
  byId(id: string): Person | undefined;
  byEmail(email: string): Person | undefined;
  add(person: NewPerson): Person;
  hasPassword(person: Person, password: string): boolean;
  setPassword(person: Person, password: string): void;
  changeEmail(person: Person, email: string): void;
};

/** The two accounts a visitor can try without signing up. The passwords are public: the login page prints them. */
export const demoPeople = {
  anna: {
    id: 'anna',
    name: 'Anna de Vries',
    email: 'anna@polder.example',
    phone: '+31612345678',
    password: 'tulips-in-april',
  },
  james: {
    id: 'james',
    name: 'James Whitfield',
    email: 'james@polder.example',
    phone: '+447400123456',
    password: 'headwind-home',
  },
} as const;

type PasswordHash = { salt: Uint8Array; hash: Uint8Array };

function hashPassword(password: string, salt: Uint8Array = randomBytes(16)): PasswordHash {
  return { salt, hash: scryptSync(password.normalize('NFKC'), salt, 32) };
}

/** @param known who has an account from the start */
export function createPeople(known: readonly (NewPerson & { id: string })[]): People {
  const people = new Map<string, Person>();
  const passwords = new Map<string, PasswordHash>();

  const store = (person: Person, password: string) => {
    people.set(person.id, person);
    passwords.set(person.id, hashPassword(password));
    return person;
  };
  for (const { password, ...person } of known) store({ ...person }, password);

  return {
    byId: (id) => people.get(id),
    byEmail(email) {
      const wanted = email.trim().toLowerCase();
      return [...people.values()].find((person) => person.email.toLowerCase() === wanted);
    },
    add: ({ password, ...person }) => store({ id: randomUUID(), ...person }, password),
    hasPassword(person, password) {
      const known = passwords.get(person.id);
      return known !== undefined && timingSafeEqual(known.hash, hashPassword(password, known.salt).hash);
    },
    setPassword(person, password) {
      passwords.set(person.id, hashPassword(password));
    },
    changeEmail(person, email) {
      person.email = email;
    },
  };
}
