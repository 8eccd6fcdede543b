/**
 * The versions of what this store keeps in Redis; their number is the one that this release knows.
 *
 *     const { length: version } = versions;
 *
 * There is nothing to migrate: what is kept is short-lived, and fields can be added at any time. The number
 * is there so that releases which would not understand each other do not meet. A new entry is appended, at
 * most one a release, under the rule of `../sqlite/migrations.ts`: fields are added, scripts and parsers do
 * without those that are missing and leave alone those they do not know, a new value is read in one release
 * and written in the next, and what nobody uses any more is dropped one version after the last that named it.
 */
export const versions: readonly string[] = ['what the first release keeps'];
