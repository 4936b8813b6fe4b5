/** Messages between runtime.js and worker.js. */

import type { DType } from "@litertjs/core";

export interface TensorInfo {
  name: string;
  dtype: DType;
  shape: number[];
}

export interface StartOptions {
  /** URL of the folder of LiteRT's WebAssembly. */
  folder: string;
  threads: number;
}

export interface Started {
  /** URLs of the files that LiteRT was loaded from. */
  files: string[];
  /** Instruction set that LiteRT uses. */
  simd: string;
}

export interface LoadOptions {
  file: Uint8Array;
  threads: number;
}

export interface LoadedModel {
  inputs: TensorInfo[];
  outputs: TensorInfo[];
  loadMs: number;
  firstRunMs: number;
  /** Whether XNNPACK runs the whole model. */
  fullyDelegated: boolean;
}

export interface RunOptions {
  /** RGB bytes. */
  crop: Uint8ClampedArray;
}

export interface RunResult {
  output: Float32Array;
  ms: number;
}

export interface MeasureOptions {
  warmupRuns: number;
  runs: number;
  sustainedSeconds: number;
}

export interface MeasureResult {
  /** Times of the runs, ms. */
  samples: number[];
  /** Number of runs without a pause, and their median times in the first and the last fifth, ms. */
  sustained: { runs: number; fifths: [number, number] } | null;
}

/** The worker's functions. */
export interface Functions {
  start(options: StartOptions): Promise<Started>;
  load(options: LoadOptions): Promise<LoadedModel>;
  run(options: RunOptions): Promise<RunResult>;
  measure(options: MeasureOptions): Promise<MeasureResult>;
}

export interface Request {
  id: number;
  name: keyof Functions;
  options: any;
}

export type Response = { id: number; result?: any; error?: string } | { completedRuns: number };
