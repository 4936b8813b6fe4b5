/**
 * Prediction of the people in the images of a source: in the selected region, in the regions of a search or of the
 * person trackers, or in the whole image.
 *
 * @typedef {import("./geometry.js").CropRegion} CropRegion
 * @typedef {import("./geometry.js").Point} Point
 * @typedef {import("./pose_model.js").PoseModel} PoseModel
 * @typedef {import("./sliding_window.js").CropPolicy} CropPolicy
 * @typedef {import("./sliding_window.js").PredictRegion} PredictRegion
 * @typedef {import("./sliding_window.js").Prediction} Prediction
 *
 * Predicts the people in an image of the given size, with a function that predicts one region of it:
 * @typedef {(predict: PredictRegion, width: number, height: number) => Promise<Prediction[]>} PredictImage
 *
 * @typedef {object} PredictorOptions
 * @property {boolean} isLive whether the images change over time, so that people are tracked
 * @property {CropRegion | null} selectedRegion the only region that is predicted, null for none
 * @property {boolean} isSearchEnabled whether people are searched for and tracked
 * @property {number} maxPeople maximum number of people
 * @property {() => number} threshold returns the mean confidence below which a region shows no person
 * @property {() => void} onSearch is called before a still image is searched
 */

import { cropRegion, fullImageRegion } from "./geometry.js";
import { PersonTracker } from "./person_tracker.js";
import { meanConfidence, searchPeople, showsSamePerson } from "./sliding_window.js";

/** Padding of regions around joints, for models without metadata or trained with regions from other boxes. */
const DEFAULT_PADDING = 1.5;

/**
 * Return the function that predicts the images of a source.
 *
 * @param {PoseModel} model
 * @param {PredictorOptions} options
 * @returns {PredictImage}
 */
export function createPredictor(model, options) {
  const { isLive, selectedRegion, isSearchEnabled, maxPeople } = options;
  if (selectedRegion) return async (predict) => [await predict(selectedRegion)];
  if (!isSearchEnabled) return async (predict, width, height) => [await predict(fullImageRegion(width, height))];
  const padding = model.metadata?.region_from === "joints" ? model.metadata.padding : DEFAULT_PADDING;
  const cropPolicy = (/** @type {Point[]} */ joints) => cropRegion(joints, padding);
  return isLive ? tracking(cropPolicy, maxPeople) : searching(cropPolicy, options);
}

/**
 * Search the first image; repeated predictions of the same image use the regions found in it.
 *
 * @param {CropPolicy} cropPolicy
 * @param {PredictorOptions} options
 * @returns {PredictImage}
 */
function searching(cropPolicy, { maxPeople, threshold, onSearch }) {
  /** @type {CropRegion[] | null} */
  let regions = null;
  return async (predict, width, height) => {
    if (!regions) {
      onSearch();
      const found = await searchPeople(predict, width, height, cropPolicy, threshold(), maxPeople);
      regions = found.map(({ region }) => region);
      return found;
    }
    const people = [];
    for (const region of regions) people.push(await predict(region));
    return people;
  };
}

/**
 * Track people from image to image. A tracker that has arrived at the person of another one starts again.
 *
 * @param {CropPolicy} cropPolicy
 * @param {number} maxPeople
 * @returns {PredictImage}
 */
function tracking(cropPolicy, maxPeople) {
  const trackers = Array.from({ length: maxPeople }, () => new PersonTracker(cropPolicy));
  const clock = () => performance.now() / 1000;
  return async (predict, width, height) => {
    const people = [];
    for (const tracker of trackers) {
      const others = trackers.flatMap((other) => (other !== tracker && other.region ? [other.region] : []));
      people.push({ tracker, prediction: await tracker.update(predict, width, height, clock, others) });
    }
    people.sort((first, second) => meanConfidence(second.prediction) - meanConfidence(first.prediction));
    /** @type {Prediction[]} */
    const distinct = [];
    for (const { tracker, prediction } of people) {
      // The crop region of the joints: that of the prediction may be the whole image.
      const regions = distinct.map(({ joints }) => cropPolicy(joints));
      if (showsSamePerson(cropPolicy(prediction.joints), regions)) tracker.reset();
      else distinct.push(prediction);
    }
    return distinct;
  };
}
