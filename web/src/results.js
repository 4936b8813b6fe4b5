/**
 * The people that a model predicts in an image.
 *
 * @typedef {import("./pose_model.js").PoseModel} PoseModel
 * @typedef {import("./sliding_window.js").Prediction} Prediction
 * @typedef {import("./sources.js").Source} Source
 *
 * @typedef {object} Result
 * @property {PoseModel} model
 * @property {Source} source
 * @property {number} time of the image in a video, s
 * @property {Prediction[]} people whatever their score, the mean confidence
 * @property {boolean} isSearched whether the people were searched for, not predicted in a given region
 */

import { toCoco } from "./coco.js";
import { meanConfidence } from "./sliding_window.js";

/**
 * Return the people whose score reaches the threshold; all of them if they were not searched for, because the user
 * has stated where the person is.
 *
 * @param {Result} result
 * @param {number} threshold
 */
export function shownPeople({ people, isSearched }, threshold) {
  return isSearched ? people.filter((person) => meanConfidence(person) >= threshold) : people;
}

/**
 * Return how many people are displayed, and their scores, as text.
 *
 * @param {Prediction[]} people
 * @param {PoseModel} model
 * @param {number} threshold
 */
export function describePeople(people, model, threshold) {
  if (!model.codec.hasConfidence) return "";
  if (!people.length) return `No person: no score reaches the threshold of ${threshold.toFixed(2)}.`;
  const scores = people.map((person) => meanConfidence(person).toFixed(2)).join(", ");
  return people.length === 1 ? `1 person, score ${scores}` : `${people.length} people, scores ${scores}`;
}

/** Return the name of a file with results, without its suffix; images of a video have their time in it. */
export function fileStem(/** @type {Result} */ { source, time }) {
  const stem = source.name.replace(/\.[^.]*$/, "");
  return `${stem}${source.duration === null ? "" : `-${time.toFixed(2)}s`}-splitpose`;
}

/**
 * Return the displayed people as the content of a COCO keypoints JSON.
 *
 * @param {Result} result
 * @param {number} threshold
 */
export function resultToCoco(result, threshold) {
  const { source, model } = result, { name, width, height } = source;
  const provenance = { model: model.name, viewpoint: model.metadata?.viewpoint ?? null };
  return toCoco({ name, width, height }, shownPeople(result, threshold), model.joints, provenance);
}
