/**
 * Summary of the groups that a model was trained on, as recorded by splitpose/data/training_groups.py.
 *
 * @typedef {object} TrainingGroups
 * @property {{prefix: string, seed: number, from: number}[]} rules
 * @property {string} listed
 * @property {Record<string, string>} all_but
 * @property {boolean} complete
 */

/** Bytes of a hash in a list. */
const HASH_BYTES = 4;

/**
 * Return one sentence about the groups that a model was trained or selected on.
 *
 * @param {unknown} record of the metadata, null if it is unknown
 */
export async function describeTrainingGroups(record) {
  if (!record) return "unknown; the file does not contain a record.";
  try {
    const { rules, listed, all_but, complete } = /** @type {TrainingGroups} */ (record);
    const count = await countHashes(listed);
    const parts = [
      ...rules.map(({ prefix, from }) => `${Math.round(100 * (1 - from))} % of the groups of ${sourceName(prefix)}`),
      ...(count ? [count === 1 ? "1 listed group or image" : `${count} listed groups or images`] : []),
    ];
    for (const [prefix, unseen] of Object.entries(all_but)) {
      parts.push(`all groups of ${sourceName(prefix)} except ${await countHashes(unseen)} groups or images`);
    }
    const first = `${parts.join(", ") || "no groups"}.`;
    return complete ? first : `${first} The record is incomplete: training started from a model without one.`;
  } catch {
    return "unknown; the record in the file is damaged.";
  }
}

function sourceName(/** @type {string} */ prefix) {
  return prefix === "incoming/" ? "data/incoming" : "the data source";
}

/** Return the number of hashes in a list: base64 of zlib's format. */
async function countHashes(/** @type {string} */ list) {
  const bytes = Uint8Array.from(atob(list), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(stream).arrayBuffer()).byteLength / HASH_BYTES;
}
